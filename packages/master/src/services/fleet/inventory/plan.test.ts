import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDigests, copyDigest } from "../../../domain/chunks/inventory-digest.ts";
import { bucketRuns, planBucketChecks, reconcileBucket, stateAfterListing, type BucketState } from "./plan.ts";

const none: ReadonlyMap<number, BucketState> = new Map();
const copy = (chunkId: number, lengthBytes = 10): { chunkId: number; generation: number; lengthBytes: number } => ({
  chunkId,
  generation: 1,
  lengthBytes,
});
const compare = (
  nodeDigest: number,
  expectedDigest: number,
): { bucket: number; nodeDigest: number; expectedDigest: number }[] => [{ bucket: 3, nodeDigest, expectedDigest }];

describe("planBucketChecks", () => {
  test("the first digest of a stream is looked into at once when it differs", () => {
    expect(planBucketChecks(none, compare(5, 5)).toList).toEqual([]);
    expect(planBucketChecks(none, compare(5, 6)).toList).toEqual([3]);
  });

  test("what is as it was needs no new state, and what is not gets one", () => {
    const { states } = planBucketChecks(none, compare(5, 5));
    expect(planBucketChecks(states, compare(5, 5)).states).toBe(states);
    const differing = planBucketChecks(states, compare(6, 5)).states;
    expect(differing.get(3)).toMatchObject({ nodeDigest: 6, unsettledCount: 1 });
    expect(planBucketChecks(differing, compare(6, 5)).states.get(3)).toMatchObject({ unsettledCount: 2 });
  });

  test("a difference while copies are being written waits until it rests, and not for ever", () => {
    let states = planBucketChecks(none, compare(1, 1)).states;
    for (let step = 2; step <= 6; step++) {
      const plan = planBucketChecks(states, compare(step + 1, step));
      expect(plan.toList).toEqual([]);
      states = plan.states;
    }
    expect(planBucketChecks(states, compare(7, 6)).toList).toEqual([3]);
    expect(planBucketChecks(states, compare(8, 7)).toList).toEqual([3]);
    expect(planBucketChecks(states, compare(7, 7)).toList).toEqual([]);
  });

  test("what was listed and left alone does not ask for another listing until something changes", () => {
    const expectedDigest = copyDigest(copy(1));
    const nodeDigest = addDigests(expectedDigest, copyDigest(copy(257)));
    const states = new Map([[3, stateAfterListing([copy(1), copy(257)], (one) => one.chunkId === 1, expectedDigest)]]);
    expect(planBucketChecks(states, compare(nodeDigest, expectedDigest)).toList).toEqual([]);
    expect(planBucketChecks(states, compare(expectedDigest, expectedDigest)).toList).toEqual([]);
    const other = planBucketChecks(states, compare(nodeDigest + 1, expectedDigest));
    expect(planBucketChecks(other.states, compare(nodeDigest + 1, expectedDigest)).toList).toEqual([3]);
  });
});

describe("stateAfterListing", () => {
  test("a copy that counts and was not listed is asked for again, however the rest adds up", () => {
    const expectedDigest = addDigests(copyDigest(copy(1)), copyDigest(copy(257)));
    const nodeDigest = addDigests(copyDigest(copy(1)), copyDigest(copy(513)));
    const states = new Map([[3, stateAfterListing([copy(1), copy(513)], (one) => one.chunkId === 1, expectedDigest)]]);
    expect(planBucketChecks(states, compare(nodeDigest, expectedDigest)).toList).toEqual([3]);
  });
});

describe("reconcileBucket", () => {
  test("for any two sets: missing and unexpected are exactly their differences", () => {
    const ids = fc.uniqueArray(fc.nat(200));
    fc.assert(
      fc.property(ids, ids, (expectedIds, listedIds) => {
        const expected = new Map(expectedIds.map((chunkId) => [chunkId, { generation: 1, lengthBytes: 10 }]));
        const { unexpected, missingChunkIds } = reconcileBucket(
          expected,
          listedIds.map((chunkId) => copy(chunkId)),
        );
        expect(new Set(missingChunkIds)).toEqual(new Set(expectedIds.filter((id) => !listedIds.includes(id))));
        expect(new Set(unexpected.map((one) => one.chunkId))).toEqual(
          new Set(listedIds.filter((id) => !expectedIds.includes(id))),
        );
      }),
    );
  });

  test("a copy of another length than the chunk's is no copy of it", () => {
    const expected = new Map([[1, { generation: 1, lengthBytes: 10 }]]);
    expect(reconcileBucket(expected, [copy(1, 9)])).toEqual({ unexpected: [], missingChunkIds: [1] });
  });
});

describe("bucketRuns", () => {
  test("whatever is asked for lies in a run; runs are apart and begin and end with what is asked for", () => {
    const some = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 16 });
    fc.assert(
      fc.property(some, (buckets) => {
        const runs = bucketRuns(buckets);
        for (const bucket of buckets)
          expect(runs.filter(({ first, last }) => first <= bucket && bucket <= last)).toHaveLength(1);
        for (const { first, last } of runs) expect(buckets).toEqual(expect.arrayContaining([first, last]));
        for (const [at, { first }] of runs.entries())
          if (at > 0) expect(first - (runs[at - 1]?.last ?? 0)).toBeGreaterThan(16);
      }),
    );
    expect(bucketRuns([9, 8, 40, 7])).toEqual([
      { first: 7, last: 9 },
      { first: 40, last: 40 },
    ]);
  });
});
