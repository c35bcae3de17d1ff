import { expect, it } from "vitest";
import { containersMissing } from "./cluster/container-driver.ts";
import { tableOf } from "./report-table.ts";
import { runChaos } from "./run-chaos.ts";

/** Far more than it takes on a quiet machine. */
const timeout = 600_000;
const missing = await containersMissing();
if (missing !== undefined) process.stdout.write(`skipped: the container driver of the chaos suite ${missing}\n`);

it.skipIf(missing !== undefined)("the same with every process in a container of its own", { timeout }, async () => {
  const report = await runChaos({
    driver: "container",
    seed: 7,
    durationMs: 25_000,
    // Takes its time with plain processes.
    without: ["rollingRestart"],
    report: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${tableOf(report)}\n`);
  expect(report.violations).toEqual([]);
  expect(report.operations).toBeGreaterThan(10);
  expect(report.injected.length).toBeGreaterThan(1);
});
