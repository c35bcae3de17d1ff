// Runs seeds of the chaos test; a red seed is printed and replayed with --seed.
// node bench/src/raft-chaos.ts [--seeds 200] [--first 1] [--seed N]
import { parseArgs } from "node:util";
import { runChaos } from "../../packages/raft/test/sim-chaos.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
  },
});
const first = Number(values.seed ?? values.first);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
let applied = 0;
let failed = 0;
const startedMs = performance.now();
for (let seed = first; seed <= last; seed++) {
  try {
    const report = await runChaos(seed);
    applied += report.applied;
    if (values.seed !== undefined) console.log(report);
  } catch (error) {
    failed++;
    console.log(`RED seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(
  `${last - first + 1} seeds, ${failed} red, ${applied} entries applied, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
