import { runSteps } from "./run-steps.ts";

/** Everything that can be said about the code without running the product; meant to stay under a minute. */
const failed = await runSteps([
  { name: "format", command: "oxfmt", parameters: ["--check", "."] },
  { name: "lint (type-aware)", command: "oxlint", parameters: ["--type-aware"] },
  { name: "types: core", command: "tsc", parameters: ["-p", "tsconfig.core.json"] },
  { name: "types: node", command: "tsc", parameters: ["-p", "tsconfig.node.json"] },
  { name: "types: web", command: "tsc", parameters: ["-p", "tsconfig.web.json"] },
  { name: "types: tests", command: "tsc", parameters: ["-p", "tsconfig.test.json"] },
  { name: "proto lint", command: "buf", parameters: ["lint"] },
  { name: "proto breaking", command: "buf", parameters: ["breaking", "--against", "proto/baseline.binpb"] },
  { name: "generated code up to date", command: process.execPath, parameters: ["tools/gen.ts", "--verify"] },
  { name: "unused code and dependencies (knip)", command: "knip", parameters: ["--no-progress"] },
  {
    name: "tidy",
    command: "vitest",
    parameters: ["run", "--project", "unit", "--reporter", "dot", "tools/tidy.test.ts"],
  },
]);
console.log(failed.length === 0 ? "All checks passed." : `${failed.length} checks failed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
