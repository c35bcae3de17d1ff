import { runStep } from "./run-steps.ts";

process.exitCode = await runStep({ name: "format", command: "oxfmt", parameters: ["."] });
