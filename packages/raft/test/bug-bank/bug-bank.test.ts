import { describe, expect, it } from "vitest";
import { canary, plantedBugs } from "./bugs.ts";
import { find } from "./finders.ts";
import { scenarios } from "./scenarios.ts";

/** What each finder may spend here; medians over more seeds: `npm run raft:bug-bank`. */
const effort = { random: 400, explore: 300_000, vopr: 60, script: 1 } as const;

describe("every historical bug that is planted is found", { timeout: 120_000 }, () => {
  for (const { name, about, finder } of [...plantedBugs, canary]) {
    it(`${name}: ${about}`, async () => {
      const found = await find(name, finder, { firstSeed: 1, effort: effort[finder] });
      expect(found?.message).toBeTruthy();
    });
  }

  it("there are at least twenty", () => expect(plantedBugs.length).toBeGreaterThanOrEqual(20));
});

describe("nothing is found where nothing is planted", () => {
  for (const [name, play] of Object.entries(scenarios)) it(name, () => play());

  it("nor is a defect that no code asks for", async () => {
    expect(await find("no such defect", "random", { firstSeed: 1, effort: 3 })).toBe(undefined);
    expect(await find("no such defect", "script", { firstSeed: 1 })).toBe(undefined);
  });
});
