import type { KeyValueChange, KeyValueStore } from "@holdfast/runtime";
import { inventoryBucketCount, nodeBucketTable } from "../domain/chunks/tables.ts";
import { parseTableKey, readerOf } from "../domain/tables.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { tableRange } from "../projections/table-range.ts";

/**
 * The digests that nodes' inventories should have, in memory: every node's 256 are compared every ten seconds, and a
 * thousand nodes' rows do not stay in a store's cache. A node's are read when first asked for, then kept by every batch.
 */
export class NodeDigests {
  readonly #store: KeyValueStore;
  readonly #byNode = new Map<number, Float64Array>();
  /** Nodes whose rows are being read, with the changes that came meanwhile, by bucket. */
  readonly #loading = new Map<number, Map<number, number>>();
  readonly #loads = new OneAtATime();

  /** Errors of the store come from `digestOf`. */
  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * Reads a node's digests in one go, if they are not known yet; afterwards `digestOf` reads nothing. One node at a time: a
   * new leader is asked for a thousand at once, and their rows together would keep heartbeats waiting.
   */
  async ready(nodeId: number): Promise<void> {
    if (this.#byNode.has(nodeId)) return;
    await this.#loads.run(() => this.#load(nodeId));
  }

  async #load(nodeId: number): Promise<void> {
    if (this.#byNode.has(nodeId)) return;
    const late = new Map<number, number>();
    this.#loading.set(nodeId, late);
    const digests = new Float64Array(inventoryBucketCount);
    try {
      for await (const [[, bucket], { digest }] of tableRange(this.#store, nodeBucketTable, { prefix: [nodeId] }))
        digests[bucket] = digest;
      // Another state came, or somebody read the rows one by one: what was read here may be old.
      if (this.#loading.get(nodeId) !== late || this.#byNode.has(nodeId)) return;
      for (const [bucket, digest] of late) digests[bucket] = digest;
      this.#byNode.set(nodeId, digests);
    } finally {
      if (this.#loading.get(nodeId) === late) this.#loading.delete(nodeId);
    }
  }

  /** The expected digest of a node's bucket; 0 = nothing is expected. */
  digestOf(nodeId: number, bucket: number): number {
    let digests = this.#byNode.get(nodeId);
    if (digests === undefined) this.#byNode.set(nodeId, (digests = this.#read(nodeId)));
    return digests[bucket] ?? 0;
  }

  /** To be told of every batch of changes, in order, before anybody reads them. */
  note(batch: readonly KeyValueChange[]): void {
    for (const { key, value } of batch) {
      if (key[0] !== nodeBucketTable.tag) continue;
      const [nodeId, bucket] = parseTableKey(nodeBucketTable, key);
      const digests = this.#byNode.get(nodeId);
      const late = this.#loading.get(nodeId);
      if (digests === undefined && late === undefined) continue;
      const digest = value === undefined ? 0 : nodeBucketTable.value.decode(value).digest;
      late?.set(bucket, digest);
      if (digests !== undefined) digests[bucket] = digest;
    }
  }

  /** The store holds another state from now on. */
  forget(): void {
    this.#byNode.clear();
    this.#loading.clear();
  }

  #read(nodeId: number): Float64Array {
    const tables = readerOf(this.#store);
    return Float64Array.from(
      { length: inventoryBucketCount },
      (_, bucket) => tables.get(nodeBucketTable, [nodeId, bucket])?.digest ?? 0,
    );
  }
}
