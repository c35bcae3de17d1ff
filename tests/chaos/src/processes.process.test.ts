import { expect, it } from "vitest";
import { figureTable } from "./figures/figure.ts";
import { measureRollingRestarts } from "./figures/rolling-restarts.ts";
import { tableOf } from "./report-table.ts";
import { runChaos } from "./run-chaos.ts";

/** Far more than it takes on a quiet machine. */
const timeout = 600_000;

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

it("real processes are killed, frozen, cut off, filled up and damaged, and nothing is lost", { timeout }, async () => {
  const result = await runChaos({
    driver: "process",
    seed: 1,
    durationMs: 40_000,
    // The next test.
    without: ["rollingRestart"],
    report,
  });
  report(tableOf(result));
  expect(result.violations).toEqual([]);
  expect(result.operations).toBeGreaterThan(10);
  expect(result.injected.length).toBeGreaterThan(1);
});

it("every process is restarted in turn under load, and no operation fails", { timeout }, async () => {
  const result = await measureRollingRestarts({ rounds: 1, seed: 1, report });
  report(figureTable(result));
  expect(result.violations).toEqual([]);
});
