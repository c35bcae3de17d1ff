import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { withPlanted } from "@holdfast/base/planting";
import { commitOfTree, type CommandWords, wordsOf } from "./command-words.ts";
import { huntDefects } from "./defects/hunt.ts";
import { optionsOf, parseNarrowing } from "./run/narrowing.ts";
import { RunRecorder } from "./run/run-recorder.ts";
import { type RunOptions, runSeed } from "./run/run-seed.ts";
import { runSeedPool } from "./run/seed-pool.ts";
import { describeFaults, type SimulationReport } from "./run/seed-report.ts";
import { shrinkSeed } from "./run/shrink-seed.ts";
import { type SimulationTotals, TotalsCounter } from "./run/totals.ts";
import { viewPage } from "./view/view-page.ts";

const usage = `npm run sim --                     200 seeds
  --seeds N [--from M] [--workers W] [--json]   many seeds, in W processes
  --defects [--seeds N]                         plants defects and tells which seed caught each
  --seed N [--verbose] [--view FILE.html]       one seed, twice: is it replayed exactly?
           [--only JSON] [--plant DEFECT]       less of it; with a defect
  --seed N --shrink [--runs R]                  makes a red seed smaller while it stays red
`;

/** After so many seeds a long run says that it is alive. */
const progressSeeds = 500;

/** Exit 1 when a promise was broken or a seed was not replayed exactly. */
async function main(): Promise<number> {
  const words = wordsOf(process.argv.slice(2));
  if (words.has("--help")) {
    console.log(usage);
    return 0;
  }
  const seed = words.number("--seed");
  if (seed !== undefined) return words.has("--shrink") ? shrink(seed, words) : replay(seed, words);
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

async function replay(seed: number, words: CommandWords): Promise<number> {
  const only = words.text("--only");
  const options = only === undefined ? {} : optionsOf(parseNarrowing(only));
  const page = words.text("--view");
  const recorder = page === undefined ? undefined : new RunRecorder();
  const log = words.has("--verbose") ? { log: (line: string): void => console.log(line) } : {};
  const planted = words.text("--plant");
  const run = (more: RunOptions): Promise<SimulationReport> => {
    const once = (): Promise<SimulationReport> => runSeed(seed, { ...options, ...more });
    return planted === undefined ? once() : withPlanted(planted, once);
  };
  const first = await run({ ...log, ...(recorder === undefined ? {} : { recorder }) });
  const second = await run({});
  describe(first);
  const isSame = first.traceHash === second.traceHash;
  console.log(
    isSame
      ? `replayed exactly: trace ${first.traceHash}`
      : `NOT REPLAYED: traces ${first.traceHash} and ${second.traceHash}`,
  );
  if (page !== undefined && recorder !== undefined) {
    const command = commandOf(seed, { only, planted });
    writeFileSync(page, viewPage(first, recorder.recording(), { commit: commitOfTree(), command }));
    console.log(`the run, step by step: ${page}`);
  }
  return isSame && first.violations.length === 0 ? 0 : 1;
}

async function shrink(seed: number, words: CommandWords): Promise<number> {
  const planted = words.text("--plant");
  const run: typeof runSeed = (one, options) =>
    planted === undefined ? runSeed(one, options) : withPlanted(planted, () => runSeed(one, options));
  const runsMax = words.number("--runs") ?? 120;
  const shrunk = await shrinkSeed(seed, { run, runsMax, onSmaller: (line) => console.log(`  ${line}`) });
  if (shrunk === undefined) {
    console.log(`seed ${seed} at ${commitOfTree()} is green; there is nothing to make smaller`);
    return 0;
  }
  describe(shrunk.report);
  console.log(`after ${shrunk.runCount} runs: ${commandOf(seed, { only: JSON.stringify(shrunk.narrowing), planted })}`);
  return 1;
}

function commandOf(
  seed: number,
  { only, planted }: { readonly only: string | undefined; readonly planted: string | undefined },
): string {
  const narrowing = only === undefined ? "" : ` --only '${only}'`;
  return `npm run sim -- --seed ${seed}${narrowing}${planted === undefined ? "" : ` --plant ${planted}`}`;
}

async function runMany(words: CommandWords): Promise<number> {
  const from = words.number("--from") ?? 1;
  const count = words.number("--seeds") ?? 200;
  const workers = words.number("--workers") ?? Math.min(count, availableParallelism());
  const startedAtMs = performance.now();
  const counter = new TotalsCounter();
  let next = from;
  let done = 0;
  await runSeedPool({
    workers,
    next: () => (next < from + count ? { seed: next++ } : undefined),
    onAnswer: ({ report }) => {
      counter.add(report);
      if (report.violations.length > 0) describe(report);
      if (++done % progressSeeds === 0)
        console.error(`${done} seeds after ${Math.round((performance.now() - startedAtMs) / 1_000)} s`);
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
