import fc from "fast-check";
import { expect, test } from "vitest";
import { nextReaderState, ReaderPace, restedReader, type ReaderState } from "./reader-pace.ts";

const limits = { slowdownMax: 2, bearableTenthMs: 50, shareMin: 0.25, shareStep: 0.1 };
const sample = (readP95TenthMs: number, isCopying = true) => ({ nodeId: 1, readP95TenthMs, isCopying });

test("copying slows down while readers wait too long, never below its least part, and comes back", () => {
  let state: ReaderState = nextReaderState(restedReader, sample(60, false), limits);
  expect(state).toEqual({ share: 1, restP95TenthMs: 60 });
  const shares: number[] = [];
  for (const wait of [120, 121, 300, 300, 100, 0])
    shares.push((state = nextReaderState(state, sample(wait), limits)).share);
  expect(shares).toEqual([1, 0.5, 0.25, 0.25, 0.35, expect.closeTo(0.45)]);
  expect(state.restP95TenthMs).toBe(60);
});

test("short waits are bearable whatever they were before, and a quiet node teaches nothing", () => {
  const quick = nextReaderState(restedReader, sample(3, false), limits);
  expect(nextReaderState(quick, sample(49), limits).share).toBe(1);
  expect(nextReaderState(quick, sample(0, false), limits).restP95TenthMs).toBe(3);
});

test("whatever readers say, the part stays between its bounds", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ wait: fc.nat(10_000), isCopying: fc.boolean() })), (looks) => {
      let state: ReaderState = restedReader;
      for (const { wait, isCopying } of looks) {
        state = nextReaderState(state, sample(wait, isCopying), limits);
        expect(state.share).toBeGreaterThanOrEqual(limits.shareMin);
        expect(state.share).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("the worse one of both ends decides; looks closer than a second are one", () => {
  const pace = new ReaderPace(limits);
  pace.look([sample(1000), { ...sample(0), nodeId: 2 }], 0);
  pace.look([sample(0)], 999);
  expect([pace.shareOf([1, 2]), pace.shareOf([2]), pace.shareOf([3])]).toEqual([0.5, 1, 1]);
});
