import { expect } from "vitest";
import { runSeed } from "./run-seed.ts";

/** Runs seeds from..to and fails with every broken promise and the command that replays it. */
export async function expectSeeds(from: number, to: number): Promise<void> {
  const failed: string[] = [];
  let operationCount = 0;
  let faultCount = 0;
  for (let seed = from; seed <= to; seed++) {
    const report = await runSeed(seed);
    operationCount += report.operationCount;
    faultCount += report.faultCount;
    if (report.violations.length > 0) failed.push(`npm run sim -- --seed ${seed}: ${report.violations.join("; ")}`);
  }
  console.log(`seeds ${from} to ${to}: ${operationCount} operations, ${faultCount} faults`);
  expect(failed).toEqual([]);
  // A workload that gets nothing done would keep every promise, too.
  const count = to - from + 1;
  expect(operationCount).toBeGreaterThan(count * 20);
  expect(faultCount).toBeGreaterThan(count);
}
