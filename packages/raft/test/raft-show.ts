// Writes a seeded run as one HTML file that shows it step by step (test/show).
// npm run raft:show -- --seed N --out FILE.html [--rounds 200] [--steps 3000]
import { readFileSync, writeFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { recordRun } from "./show/record-run.ts";
import { readOptions } from "./usage.ts";

const values = readOptions("npm run raft:show -- --seed N --out FILE.html [--rounds 200] [--steps 3000]", {
  seed: { type: "string", default: "1" },
  out: { type: "string", default: "raft-run.html" },
  rounds: { type: "string", default: "200" },
  steps: { type: "string", default: "3000" },
});
const run = recordRun(Number(values.seed), { rounds: Number(values.rounds), stepsMax: Number(values.steps) });
const template = readFileSync(join(import.meta.dirname, "show/page.html"), "utf8");
// A `<` in the data must not end the script element.
const data = JSON.stringify(run).replaceAll("<", "\\u003c");
const caller = process.env["HOLDFAST_CALLER_DIRECTORY"] ?? process.cwd();
const file = isAbsolute(values.out) ? values.out : resolve(caller, values.out);
writeFileSync(
  file,
  template.replace('"__RUN__"', () => data),
);
process.stdout.write(
  `seed ${run.seed}: ${run.steps.length} steps of ${run.members} members${run.failure === undefined ? "" : `, ended by: ${run.failure}`}\n${file}\n`,
);
