import { execFileSync } from "node:child_process";
import { type SimulationReport, runSeed } from "./run-seed.ts";

/** `npm run sim -- --seed N` replays one seed twice; `--seeds N [--from M]` runs many. Exit 1 when anything is wrong. */
async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const numberAfter = (flag: string): number | undefined => {
    const at = words.indexOf(flag);
    return at < 0 ? undefined : Number(words[at + 1]);
  };
  const seed = numberAfter("--seed");
  if (seed !== undefined) return replay(seed, words.includes("--verbose"));
  return runMany(numberAfter("--from") ?? 1, numberAfter("--seeds") ?? 200);
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

async function runMany(from: number, count: number): Promise<number> {
  const startedAtMs = performance.now();
  const totals = { operations: 0, faults: 0, failed: 0, virtualMs: 0 };
  for (let seed = from; seed < from + count; seed++) {
    const report = await runSeed(seed);
    totals.operations += report.operationCount;
    totals.faults += report.faultCount;
    totals.virtualMs += report.virtualMs;
    if (report.violations.length > 0) {
      totals.failed++;
      describe(report);
    }
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  console.log(
    `${count} seeds in ${seconds.toFixed(0)} s: ${totals.operations} operations, ${totals.faults} faults, ${Math.round(totals.virtualMs / 1_000)} s of virtual time, ${totals.failed} seeds with violations`,
  );
  return totals.failed === 0 ? 0 : 1;
}

function describe(report: SimulationReport): void {
  console.log(
    `seed ${report.seed} at ${commit()}: ${report.operationCount} operations, ${report.faultCount} faults (${report.faults}), ${report.termCount} terms, ${report.violations.length} violations`,
  );
  for (const violation of report.violations) console.log(`  ${violation}`);
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "an unknown commit";
  }
}

process.exitCode = await main();
