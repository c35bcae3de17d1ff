import { describe, expect, it } from "vitest";
import { runSeed } from "./run-seed.ts";
import { runSeedPool } from "./seed-pool.ts";
import { TotalsCounter } from "./totals.ts";

const seedCount = 200;

describe("the whole cluster, simulated", () => {
  it(`keeps every promise over ${seedCount} seeds`, async () => {
    const counter = new TotalsCounter();
    const broken: string[] = [];
    let next = 1;
    await runSeedPool({
      workers: 2,
      next: () => (next <= seedCount ? { seed: next++ } : undefined),
      onAnswer: ({ seed, report }) => {
        counter.add(report);
        if (report.violations.length > 0) broken.push(`npm run sim -- --seed ${seed}: ${report.violations.join("; ")}`);
      },
    });
    expect(broken).toEqual([]);
    // A workload that gets nothing done would keep every promise, too.
    const totals = counter.totals();
    expect(totals.operations).toBeGreaterThan(seedCount * 12);
    expect(totals.faultCount).toBeGreaterThan(seedCount * 3);
    expect(Object.keys(totals.faults).length).toBeGreaterThan(15);
  });

  it("is replayed exactly from its seed", async () => {
    const first = await runSeed(7);
    expect(await runSeed(7)).toEqual(first);
    expect((await runSeed(8)).traceHash).not.toBe(first.traceHash);
  });
});
