import { availableParallelism } from "node:os";
import { commitOfTree, type CommandWords, wordsOf } from "./command-words.ts";
import { huntDefects } from "./defects/hunt.ts";
import { runSeed } from "./run/run-seed.ts";
import { runSeedPool } from "./run/seed-pool.ts";
import { describeFaults, type SimulationReport } from "./run/seed-report.ts";
import { type SimulationTotals, TotalsCounter } from "./run/totals.ts";

const usage = `npm run sim --                     200 seeds
  --seeds N [--from M] [--workers W] [--json]   many seeds, in W processes
  --defects [--seeds N]                         plants defects and tells which seed caught each
  --seed N [--verbose]                          one seed, twice: is it replayed exactly?
`;

/** Exit 1 when a promise was broken or a seed was not replayed exactly. */
async function main(): Promise<number> {
  const words = wordsOf(process.argv.slice(2));
  if (words.has("--help")) {
    console.log(usage);
    return 0;
  }
  const seed = words.number("--seed");
  if (seed !== undefined) return replay(seed, words.has("--verbose"));
  if (words.has("--defects")) return hunt(words);
  return runMany(words);
}

async function hunt(words: CommandWords): Promise<number> {
  const seedsMax = words.number("--seeds") ?? 300;
  const workers = words.number("--workers") ?? availableParallelism();
  console.log("| planted defect | caught by seed | as |\n|---|---|---|");
  const results = await huntDefects({
    ...{ workers, seedsMax },
    onResult: ({ defect, seedCount, caught }) => {
      const how =
        caught === undefined ? `not within ${seedCount} seeds | -` : `${caught.seed} | ${firstLine(caught.violation)}`;
      console.log(`| ${defect.name}: ${defect.what} | ${how} |`);
    },
  });
  return results.every(({ caught }) => caught !== undefined) ? 0 : 1;
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replaceAll("|", "/").slice(0, 160);
}

async function replay(seed: number, isVerbose: boolean): Promise<number> {
  const first = await runSeed(seed, isVerbose ? { log: (line) => console.log(line) } : {});
  const second = await runSeed(seed);
  describe(first);
  const isSame = first.traceHash === second.traceHash;
  console.log(
    isSame
      ? `replayed exactly: trace ${first.traceHash}`
      : `NOT REPLAYED: traces ${first.traceHash} and ${second.traceHash}`,
  );
  return isSame && first.violations.length === 0 ? 0 : 1;
}

async function runMany(words: CommandWords): Promise<number> {
  const from = words.number("--from") ?? 1;
  const count = words.number("--seeds") ?? 200;
  const workers = words.number("--workers") ?? Math.min(count, availableParallelism());
  const startedAtMs = performance.now();
  const counter = new TotalsCounter();
  let next = from;
  await runSeedPool({
    workers,
    next: () => (next < from + count ? { seed: next++ } : undefined),
    onAnswer: ({ report }) => {
      counter.add(report);
      if (report.violations.length > 0) describe(report);
    },
  });
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const totals = counter.totals();
  if (words.has("--json")) console.log(JSON.stringify({ commit: commitOfTree(), from, workers, seconds, ...totals }));
  else describeTotals(totals, { seconds, workers });
  return totals.violations === 0 ? 0 : 1;
}

function describe(report: SimulationReport): void {
  const { seed, operationCount, faultCount, termCount, violations } = report;
  console.log(
    `seed ${seed} at ${commitOfTree()}: ${operationCount} operations, ${faultCount} faults (${describeFaults(report.faults)}), ${termCount} terms, ${violations.length} violations`,
  );
  for (const violation of violations) console.log(`  ${violation}`);
}

function describeTotals(totals: SimulationTotals, run: { readonly seconds: number; readonly workers: number }): void {
  const { seeds, operations, bytes, terms, virtualMs, faultCount, faults, failedSeeds, violations, readP99Ms } = totals;
  console.log(`${seeds} seeds in ${run.seconds.toFixed(0)} s with ${run.workers} processes, at ${commitOfTree()}`);
  console.log(
    `  ${operations} operations, ${(bytes / 1e6).toFixed(1)} MB, ${terms} terms, ${Math.round(virtualMs / 1_000)} s of virtual time`,
  );
  console.log(`  ${faultCount} faults: ${describeFaults(faults)}`);
  console.log(`  reads' p99, median over seeds: ${readP99Ms.calm} ms, while copies are made ${readP99Ms.repairing} ms`);
  console.log(violations === 0 ? "  no violations" : `  ${violations} violations in seeds ${failedSeeds.join(", ")}`);
}

process.exitCode = await main();
