import type { KeyValueChange } from "@holdfast/runtime";
import { inventoryBucketCount, nodeBucketTable } from "../domain/chunks/tables.ts";
import { parseTableKey, readerOf, type ByteView } from "../domain/tables.ts";

/**
 * The digests that nodes' inventories should have, in memory: every node's 256 are compared every ten seconds, and a
 * thousand nodes' rows do not stay in a store's cache. A node's are read when first asked for, then kept by every batch.
 */
export class NodeDigests {
  readonly #store: ByteView;
  readonly #byNode = new Map<number, Float64Array>();

  /** Errors of the store come from `digestOf`. */
  constructor(store: ByteView) {
    this.#store = store;
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
      if (digests !== undefined) digests[bucket] = value === undefined ? 0 : nodeBucketTable.value.decode(value).digest;
    }
  }

  /** The store holds another state from now on. */
  forget(): void {
    this.#byNode.clear();
  }

  #read(nodeId: number): Float64Array {
    const tables = readerOf(this.#store);
    return Float64Array.from(
      { length: inventoryBucketCount },
      (_, bucket) => tables.get(nodeBucketTable, [nodeId, bucket])?.digest ?? 0,
    );
  }
}
