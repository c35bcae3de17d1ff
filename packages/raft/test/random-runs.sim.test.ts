import { describe, expect, it } from "vitest";
import { runRandomly } from "../src/testing/random-run.ts";

/** Bounded so that every test run can afford it; more seeds: `RAFT_SEEDS=5000 vitest run --project sim packages/raft`. */
const seeds = Number(process.env["RAFT_SEEDS"] ?? 30);

describe("random runs", () => {
  for (const hasMembershipChanges of [false, true]) {
    it(`keep every promise ${hasMembershipChanges ? "with" : "without"} membership changes`, () => {
      let committed = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        try {
          committed += runRandomly({ seed, rounds: 500, hasMembershipChanges }).committedIndex;
        } catch (cause) {
          throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
        }
      }
      // Runs that do nothing would prove nothing.
      expect(committed).toBeGreaterThan(seeds * 5);
    });
  }

  it("are the same for the same seed", () => {
    const run = (): unknown => runRandomly({ seed: 7, rounds: 300, hasMembershipChanges: true });
    expect(run()).toEqual(run());
  });
});
