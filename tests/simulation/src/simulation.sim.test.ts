import { describe, expect, it } from "vitest";
import { runSeed } from "./run-seed.ts";

const seedCount = 200;

describe("the whole cluster, simulated", () => {
  it("replays a seed exactly", async () => {
    const first = await runSeed(7);
    const second = await runSeed(7);
    expect(second).toEqual(first);
    expect((await runSeed(8)).traceHash).not.toBe(first.traceHash);
  });

  it(`keeps every promise over ${seedCount} seeds`, async () => {
    const failed: string[] = [];
    let operationCount = 0;
    let faultCount = 0;
    for (let seed = 1; seed <= seedCount; seed++) {
      const report = await runSeed(seed);
      operationCount += report.operationCount;
      faultCount += report.faultCount;
      if (report.violations.length > 0) failed.push(`seed ${seed}: ${report.violations.join("; ")} (npm run sim -- --seed ${seed})`);
    }
    console.log(`${seedCount} seeds, ${operationCount} operations, ${faultCount} faults`);
    expect(failed).toEqual([]);
    // A workload that gets nothing done would keep every promise, too.
    expect(operationCount).toBeGreaterThan(seedCount * 20);
    expect(faultCount).toBeGreaterThan(seedCount);
  });
});
