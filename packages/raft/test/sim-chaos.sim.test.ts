import { expect, it } from "vitest";
import { runChaos } from "./sim-chaos.ts";

/** More with `node bench/src/raft-chaos.ts --seeds N`. */
const seedCount = 25;

it(`keeps every promise under ${seedCount} seeds of crashes, power cuts, partitions and bad disks`, async () => {
  let applied = 0;
  let crashes = 0;
  for (let seed = 1; seed <= seedCount; seed++) {
    const report = await runChaos(seed);
    applied += report.applied;
    crashes += report.crashes;
  }
  // A run in which nothing happens proves nothing.
  expect(applied).toBeGreaterThan(seedCount * 50);
  expect(crashes).toBeGreaterThan(seedCount * 3);
});

it("is the same run for the same seed", async () => {
  expect(await runChaos(7)).toEqual(await runChaos(7));
});
