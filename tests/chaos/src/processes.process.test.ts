import { expect, it } from "vitest";
import { tableOf } from "./report-table.ts";
import { runChaos } from "./run-chaos.ts";

/** Far more than it takes on a quiet machine. */
const timeout = 600_000;

it(
  "real processes are killed, frozen, cut off, filled up, damaged and restarted, and nothing is lost",
  { timeout },
  async () => {
    const report = await runChaos({
      driver: "process",
      seed: 1,
      durationMs: 60_000,
      report: (line) => process.stdout.write(`${line}\n`),
    });
    process.stdout.write(`${tableOf(report)}\n`);
    expect(report.violations).toEqual([]);
    expect(report.operations).toBeGreaterThan(10);
    expect(report.injected.length).toBeGreaterThan(1);
  },
);
