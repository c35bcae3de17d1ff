import type { HeldCopy } from "../../../domain/chunks/decide-replicas.ts";
import { addDigests, copyDigest } from "../../../domain/chunks/inventory-digest.ts";

/** What was seen of a bucket when its digest last came. */
export interface BucketState {
  readonly nodeDigest: number;
  readonly expectedDigest: number;
  /** What the node holds beyond the expectation and is left alone: uncommitted writes, unknown and damaged copies. */
  readonly extraDigest: number;
  /** Digests that differed in a row while one of the two sides was moving. */
  readonly unsettledCount: number;
}

/** A bucket's digest from the node beside the one its expected copies have. */
export interface BucketComparison {
  readonly bucket: number;
  readonly nodeDigest: number;
  readonly expectedDigest: number;
}

/** A bucket that differs is listed at last after so many digests, even if it never rests. */
const unsettledCountMax = 6;

/**
 * Which buckets to ask for, and what to remember. A difference is looked into at the first digest of a stream, when it
 * rests (neither side changed since the last digest), or when it lasts; while files are being written, buckets differ
 * for a moment all the time and listing each of them would cost more than it finds.
 */
export function planBucketChecks(
  states: ReadonlyMap<number, BucketState>,
  comparisons: readonly BucketComparison[],
): { readonly toList: readonly number[]; readonly states: ReadonlyMap<number, BucketState> } {
  // Nearly all buckets of nearly all reports are as they were: a thousand nodes' states are not copied for them.
  let next: Map<number, BucketState> | undefined;
  const toList: number[] = [];
  for (const { bucket, nodeDigest, expectedDigest } of comparisons) {
    const before = states.get(bucket);
    const extraDigest = before?.extraDigest ?? 0;
    const isSame = nodeDigest === addDigests(expectedDigest, extraDigest) || nodeDigest === expectedDigest;
    const isResting =
      before === undefined || (before.nodeDigest === nodeDigest && before.expectedDigest === expectedDigest);
    const unsettledCount = isSame ? 0 : (before?.unsettledCount ?? 0) + 1;
    if (!isSame && (isResting || unsettledCount >= unsettledCountMax)) toList.push(bucket);
    if (isResting && before?.unsettledCount === unsettledCount) continue;
    next ??= new Map(states);
    next.set(bucket, { nodeDigest, expectedDigest, extraDigest, unsettledCount });
  }
  return { toList, states: next ?? states };
}

/**
 * The state of a bucket after it was listed and what followed was committed: copies that still do not count are left
 * alone. A copy that counts and was not listed is never made up for, so that it is asked for again.
 */
export function stateAfterListing(
  listed: readonly HeldCopy[],
  counts: (copy: HeldCopy) => boolean,
  expectedDigest: number,
): BucketState {
  let nodeDigest = 0;
  let extraDigest = 0;
  for (const copy of listed) {
    const digest = copyDigest(copy);
    nodeDigest = addDigests(nodeDigest, digest);
    if (!counts(copy)) extraDigest = addDigests(extraDigest, digest);
  }
  return { nodeDigest, expectedDigest, extraDigest, unsettledCount: 0 };
}

/**
 * What a listing proves. `expected` is from before the node was asked: a copy that was expected then and is not listed
 * is missing; one with other bytes than expected is missing, too. Copies that were not expected are passed on as they
 * are: the decision knows which chunks exist.
 */
export function reconcileBucket(
  expected: ReadonlyMap<number, { readonly generation: number; readonly lengthBytes: number }>,
  listed: readonly HeldCopy[],
): { readonly unexpected: readonly HeldCopy[]; readonly missingChunkIds: readonly number[] } {
  const present = new Set<number>();
  const unexpected: HeldCopy[] = [];
  for (const copy of listed) {
    const row = expected.get(copy.chunkId);
    if (row === undefined) unexpected.push(copy);
    else if (row.generation === copy.generation && row.lengthBytes === copy.lengthBytes) present.add(copy.chunkId);
  }
  const missingChunkIds = [...expected.keys()].filter((chunkId) => !present.has(chunkId));
  return { unexpected, missingChunkIds };
}

/** Buckets in between that are read along with those asked for: a set has few chunks in each, and a range costs more. */
const bucketGapMax = 16;

/** Ranges of buckets that hold all of these, ascending. */
export function bucketRuns(buckets: readonly number[]): readonly { readonly first: number; readonly last: number }[] {
  const runs: { readonly first: number; last: number }[] = [];
  for (const bucket of buckets.toSorted((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run !== undefined && bucket - run.last <= bucketGapMax) run.last = bucket;
    else runs.push({ first: bucket, last: bucket });
  }
  return runs;
}
