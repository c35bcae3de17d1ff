import { describe, expect, it } from "vitest";
import { shrink } from "./shrink.ts";
import { planOf, runVopr } from "./vopr-run.ts";

/** More with `npm run raft:vopr -- --seeds N`. */
const seedCount = 15;

describe("a simulated group under all kinds of faults", () => {
  it(`keeps every promise for ${seedCount} seeds, and a healed quorum serves again`, async () => {
    let acknowledged = 0;
    let faults = 0;
    let repaired = 0;
    let leased = 0;
    let byFollowers = 0;
    for (let seed = 1; seed <= seedCount; seed++) {
      const report = await runVopr(seed);
      acknowledged += report.acknowledged;
      faults += report.faults;
      repaired += report.repairedEntries;
      leased += report.leaseReads;
      byFollowers += report.followerReads;
      expect(report.isUndecided).toBe(false);
    }
    // Runs in which nothing happens would prove nothing.
    expect(acknowledged).toBeGreaterThan(seedCount * 40);
    expect(faults).toBeGreaterThan(seedCount * 5);
    expect(repaired).toBeGreaterThan(0);
    expect(leased).toBeGreaterThan(100);
    expect(byFollowers).toBeGreaterThan(50);
  });

  it("is the same run for the same seed and faults", async () => {
    const faults = new Set(planOf(5).faults.flatMap(({ number }) => (number % 3 === 0 ? [] : [number])));
    expect(await runVopr(5, { faults })).toEqual(await runVopr(5, { faults }));
  });
});

describe("shrinking", () => {
  it("finds the few items that matter", async () => {
    const items = Array.from({ length: 100 }, (_, place) => place);
    const needed = [3, 57, 58];
    let runs = 0;
    const isRed = async (kept: readonly number[]): Promise<boolean> => {
      runs++;
      return needed.every((item) => kept.includes(item));
    };
    expect(await shrink(items, isRed, 1000)).toEqual(needed);
    expect(runs).toBeLessThan(100);
    expect(await shrink(items, isRed, 10)).toEqual(expect.arrayContaining(needed));
  });
});
