import type { KeyValueChange } from "@holdfast/runtime";
import { bucketOf } from "../../domain/chunks/inventory-digest.ts";
import { noteCopySet } from "../../domain/chunks/node-copy-sets.ts";
import {
  chunkTable,
  copySetChunkTable,
  copySetTable,
  inventoryBucketCount,
  nodeBucketTable,
} from "../../domain/chunks/tables.ts";
import { tableKey, type Tables } from "../../domain/tables.ts";
import type { ScaleCopies, ScaleInventories, ScaleSets } from "./scale-copies.ts";
import { scaleChunkBytes, scaleSha256 } from "./scale-size.ts";

const generation = 1;
const lengthBytes = scaleChunkBytes;

/** Rows of all chunks, by id. */
export function* chunkRows(
  copies: ScaleCopies,
  holderOf: (chunkId: number) => { readonly holderEntryId: number; readonly holderVersionId: number },
): Generator<KeyValueChange, void, undefined> {
  for (let chunkId = 1; chunkId <= copies.size.chunkCount; chunkId++) {
    const nodeIds = copies.nodeIdsOf(chunkId);
    const holder = { holderUploadId: "", ...holderOf(chunkId) };
    const content = { generation, lengthBytes, sha256: scaleSha256(chunkId) };
    const places = { placedNodeIds: nodeIds, confirmedNodeIds: nodeIds, corruptNodeIds: [] };
    yield {
      key: tableKey(chunkTable, [chunkId]),
      value: chunkTable.value.encode({ ...content, ...places, ...holder }),
    };
  }
}

/** Rows of the chunks in their sets, in the order of their keys: a store takes them as they come. */
export function* copySetChunkRows(sets: ScaleSets): Generator<KeyValueChange, void, undefined> {
  const chunkIds = chunksBySet(sets);
  const starts = startsOf(sets);
  const value = copySetChunkTable.value.encode({ generation, lengthBytes });
  const order = sets.keys.map((_, position) => position);
  order.sort((left, right) => ((sets.keys[left] ?? "") < (sets.keys[right] ?? "") ? -1 : 1));
  for (const position of order) {
    const start = starts[position] ?? 0;
    const own = chunkIds.subarray(start, start + (sets.counts[position] ?? 0));
    own.sort((left, right) => bucketOf(left) - bucketOf(right) || left - right);
    const key = sets.keys[position] ?? "";
    for (const chunkId of own) yield { key: tableKey(copySetChunkTable, [key, bucketOf(chunkId), chunkId]), value };
  }
}

/** Sets with what they count, and each node's list of them. */
export function setCopySets(tables: Tables, sets: ScaleSets): void {
  for (const [position, key] of sets.keys.entries()) {
    const count = sets.counts[position] ?? 0;
    noteCopySet(tables, key);
    tables.set(copySetTable, [key], { chunkCount: count, heldCount: count, heldBytes: count * lengthBytes });
  }
}

/** What every node's inventory should amount to. */
export function setInventories(tables: Tables, { digests, counts }: ScaleInventories): void {
  for (const [at, chunkCount] of counts.entries()) {
    if (chunkCount === 0) continue;
    const key: [number, number] = [1 + Math.floor(at / inventoryBucketCount), at % inventoryBucketCount];
    tables.set(nodeBucketTable, key, { digest: digests[at] ?? 0, chunkCount });
  }
}

function startsOf({ counts }: ScaleSets): Uint32Array {
  const starts = new Uint32Array(counts.length);
  for (let position = 1; position < counts.length; position++)
    starts[position] = (starts[position - 1] ?? 0) + (counts[position - 1] ?? 0);
  return starts;
}

/** All chunk ids, those of a set beside each other. */
function chunksBySet(sets: ScaleSets): Uint32Array {
  const next = startsOf(sets);
  const chunkIds = new Uint32Array(sets.ofChunk.length - 1);
  for (let chunkId = 1; chunkId < sets.ofChunk.length; chunkId++) {
    const position = sets.ofChunk[chunkId] ?? 0;
    const at = next[position] ?? 0;
    chunkIds[at] = chunkId;
    next[position] = at + 1;
  }
  return chunkIds;
}
