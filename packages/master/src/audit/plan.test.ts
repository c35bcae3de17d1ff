import { describe, expect, it } from "vitest";
import type { StateHashAt } from "../application/state-hashes.ts";
import { judge } from "./plan.ts";

/** Hashes of 32 equal bytes at 64, 128, ... ; undefined: that index is lacking. */
function hashes(...values: readonly (number | undefined)[]): readonly StateHashAt[] {
  return values.flatMap((value, position) =>
    value === undefined ? [] : [{ index: 64 * (position + 1), stateHash: new Uint8Array(32).fill(value) }],
  );
}

describe("judging one's own tables", () => {
  it.each([
    ["all say the same", hashes(1, 2), [hashes(1, 2), hashes(1, 2)], 3, { kind: "equal", index: 128 }],
    ["one of two others is there, and is behind", hashes(1, 2), [hashes(1), []], 3, { kind: "equal", index: 64 }],
    ["nobody is there", hashes(1, 2), [[], []], 3, { kind: "equal", index: 0 }],
    ["no index in common", hashes(1), [hashes(undefined, 2), []], 3, { kind: "equal", index: 0 }],
    [
      "the others agree on another state",
      hashes(1, 9),
      [hashes(1, 2), hashes(1, 2)],
      3,
      { kind: "diverged", index: 128 },
    ],
    [
      "the newest index has only one other",
      hashes(1, 9, 9),
      [hashes(1, 2, 3), hashes(1, 2)],
      3,
      { kind: "diverged", index: 128 },
    ],
    ["one differs and one agrees", hashes(1, 2), [hashes(1, 9), hashes(1, 2)], 3, { kind: "disputed", index: 128 }],
    ["one differs and one is away", hashes(1, 2), [hashes(1, 9), []], 3, { kind: "disputed", index: 128 }],
    ["all three differ", hashes(1), [hashes(2), hashes(3)], 3, { kind: "disputed", index: 64 }],
    ["of five, three agree", hashes(9), [hashes(1), hashes(1), hashes(1), []], 5, { kind: "diverged", index: 64 }],
    ["of five, two agree", hashes(9), [hashes(1), hashes(1), hashes(9), []], 5, { kind: "disputed", index: 64 }],
    ["two masters cannot outvote each other", hashes(1), [hashes(2)], 2, { kind: "disputed", index: 64 }],
  ] as const)("%s", (_what, own, others, mastersCount, verdict) => {
    expect(judge(own, others, mastersCount)).toEqual(verdict);
  });
});
