import type { KeyValueStore } from "@holdfast/runtime";
import type { NodeDigests } from "../../../application/node-digests.ts";
import type { OneAtATime } from "../../../application/one-at-a-time.ts";
import type { HeldCopy } from "../../../domain/chunks/decide-replicas.ts";
import { copySetsOfNode } from "../../../domain/chunks/node-copy-sets.ts";
import { chunkTable, copySetChunkTable, type CopySetChunkRow } from "../../../domain/chunks/tables.ts";
import { readerOf } from "../../../domain/tables.ts";
import { tableRange } from "../../../projections/table-range.ts";
import { bucketRuns, planBucketChecks, reconcileBucket, stateAfterListing, type BucketState } from "./plan.ts";

/** Buckets asked for at once. */
const listedBucketsMax = 16;

/** What the checker works with. */
export interface BucketCheckerOptions {
  readonly nodeId: number;
  readonly store: KeyValueStore;
  readonly digests: NodeDigests;
  /** Shared by all nodes: what is expected of a hundred at once would be read in the same moment. */
  readonly listings: OneAtATime;
  /** Asks the node to list these buckets. */
  readonly order: (buckets: readonly number[]) => void;
  /** Takes what a listing proved; calls back when it is committed. */
  readonly note: (
    found: { readonly unexpected: readonly HeldCopy[]; readonly missingChunkIds: readonly number[] },
    whenCommitted: () => void,
  ) => void;
}

/** Compares one node's inventory with the expectation, bucket by bucket, for one stream. */
export class BucketChecker {
  readonly #options: BucketCheckerOptions;
  #states: ReadonlyMap<number, BucketState> = new Map();
  /** Differ and were not asked for yet. */
  readonly #waiting = new Set<number>();
  /** Asked for, with what was expected before the node was asked. */
  readonly #asked = new Map<number, ReadonlyMap<number, CopySetChunkRow>>();
  #isAsking = false;

  constructor(options: BucketCheckerOptions) {
    this.#options = options;
  }

  /** Takes the digests of a report: of all buckets, in their order. */
  async compare(nodeDigests: readonly number[]): Promise<void> {
    const { nodeId, digests } = this.#options;
    await digests.ready(nodeId);
    const comparisons = nodeDigests.map((nodeDigest, bucket) => ({
      ...{ bucket, nodeDigest },
      expectedDigest: this.#expectedDigest(bucket),
    }));
    const plan = planBucketChecks(this.#states, comparisons);
    this.#states = plan.states;
    for (const bucket of plan.toList) if (!this.#asked.has(bucket)) this.#waiting.add(bucket);
    await this.#askNext();
  }

  /** Takes a listed bucket. One that was not asked for on this stream proves nothing. */
  async take(bucket: number, copies: readonly HeldCopy[]): Promise<void> {
    const expected = this.#asked.get(bucket);
    if (expected === undefined) return;
    this.#asked.delete(bucket);
    this.#options.note(reconcileBucket(expected, copies), () => {
      const state = stateAfterListing(copies, (copy) => this.#counts(copy), this.#expectedDigest(bucket));
      this.#states = new Map(this.#states).set(bucket, state);
    });
    await this.#askNext();
  }

  /** The next buckets, once all that were asked for have come. */
  async #askNext(): Promise<void> {
    if (this.#isAsking || this.#asked.size > 0 || this.#waiting.size === 0) return;
    this.#isAsking = true;
    try {
      const buckets = [...this.#waiting].slice(0, listedBucketsMax);
      const expected = await this.#options.listings.run(() => this.#expectedIn(buckets));
      for (const bucket of buckets) {
        this.#waiting.delete(bucket);
        this.#asked.set(bucket, expected.get(bucket) ?? new Map());
      }
      this.#options.order(buckets);
    } finally {
      this.#isAsking = false;
    }
  }

  /** Whether a listed copy is one of those that make up the expectation. */
  #counts(copy: HeldCopy): boolean {
    const row = readerOf(this.#options.store).get(chunkTable, [copy.chunkId]);
    if (row === undefined || row.generation !== copy.generation || row.lengthBytes !== copy.lengthBytes) return false;
    return row.confirmedNodeIds.includes(this.#options.nodeId);
  }

  #expectedDigest(bucket: number): number {
    const { nodeId, digests } = this.#options;
    return digests.digestOf(nodeId, bucket);
  }

  async #expectedIn(buckets: readonly number[]): Promise<ReadonlyMap<number, ReadonlyMap<number, CopySetChunkRow>>> {
    const { store, nodeId } = this.#options;
    const keys = copySetsOfNode(readerOf(store), nodeId).map((set) => set.key);
    const expected = new Map(buckets.map((bucket) => [bucket, new Map<number, CopySetChunkRow>()]));
    for (const key of keys) {
      for (const { first, last } of bucketRuns(buckets)) {
        const range = { prefix: [key, first], through: [key, last] } as const;
        for await (const [[, bucket, chunkId], row] of tableRange(store, copySetChunkTable, range))
          expected.get(bucket)?.set(chunkId, row);
      }
    }
    return expected;
  }
}
