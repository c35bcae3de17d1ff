import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextQuietMs, nextShare } from "./policy.ts";
import type { ForegroundView } from "./policy.ts";

const policy = { shareMin: 0.1, crowdedStreamCount: 8, crowdedShareMax: 0.25, slowdownMax: 2, readMsIgnored: 5 };
const calm: ForegroundView = { isActive: true, streamCount: 1, readP95Ms: 6, quietReadP95Ms: 6 };

describe("nextShare", () => {
  it.each([
    ["halves when reads take more than twice as long", 0.8, { readP95Ms: 12.1 }, 0.4],
    ["grows by a quarter when they do not", 0.4, { readP95Ms: 12 }, 0.5],
    ["never falls below its minimum", 0.11, { readP95Ms: 900 }, 0.1],
    ["takes differences of a few ms for chance", 0.4, { readP95Ms: 9, quietReadP95Ms: 0.5 }, 0.5],
    [
      "takes any slow read for suffering before it knows better",
      0.4,
      { readP95Ms: 11, quietReadP95Ms: undefined },
      0.2,
    ],
    ["is a quarter at most in a crowd", 1, { streamCount: 8 }, 0.25],
    ["doubles when nobody is there", 0.2, { isActive: false, readP95Ms: 900 }, 0.4],
    ["is never more than all", 0.9, { isActive: false }, 1],
  ])("%s", (_what, share, change, expected) => {
    expect(nextShare(share, { ...calm, ...change }, policy)).toBeCloseTo(expected);
  });

  it("stays between its minimum and all, whatever it sees", () => {
    const view = fc.record({
      isActive: fc.boolean(),
      streamCount: fc.nat(),
      readP95Ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
      quietReadP95Ms: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(view, { maxLength: 50 }), (views) => {
        let share = 1;
        for (const each of views) {
          share = nextShare(share, each, policy);
          expect(share).toBeGreaterThanOrEqual(policy.shareMin);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe("nextQuietMs", () => {
  it("learns slowly and keeps what it knows while nobody reads", () => {
    expect(nextQuietMs(undefined, 4)).toBe(4);
    expect(nextQuietMs(4, 14)).toBeCloseTo(6);
    expect(nextQuietMs(4, 0)).toBe(4);
  });
});
