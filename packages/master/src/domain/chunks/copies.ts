import { assert } from "@holdfast/base";
import { addToCounter } from "../state.ts";
import type { Tables } from "../tables.ts";
import { addDigests, bucketOf, copyDigest, subtractDigest } from "./inventory-digest.ts";
import { forgetCopySet, noteCopySet } from "./node-copy-sets.ts";
import {
  chunkTable,
  copySetChunkTable,
  copySetKey,
  copySetTable,
  corruptCounter,
  corruptTable,
  isHeld,
  nodeBucketTable,
  type ChunkRow,
} from "./tables.ts";

/**
 * The one way in which a chunk's row changes: keeps copy sets, expected inventories and the corrupt list in step with it.
 * `after` undefined removes the chunk.
 */
export function changeChunk(tables: Tables, chunkId: number, after: ChunkRow | undefined): void {
  const before = tables.get(chunkTable, [chunkId]);
  assert(before !== undefined || after !== undefined, "a chunk that is removed was there");
  moveBetweenSets(tables, { chunkId, before, after });
  const had = before?.confirmedNodeIds ?? [];
  const has = after?.confirmedNodeIds ?? [];
  for (const nodeId of had)
    if (before !== undefined && !has.includes(nodeId)) takeFromBucket(tables, { nodeId, chunkId, row: before });
  for (const nodeId of has)
    if (after !== undefined && !had.includes(nodeId)) addToBucket(tables, { nodeId, chunkId, row: after });
  noteCorruption(tables, { chunkId, before, after });
  if (after === undefined) tables.delete(chunkTable, [chunkId]);
  else tables.set(chunkTable, [chunkId], after);
}

/** Ascending, with this node. */
export function withNode(nodeIds: readonly number[], nodeId: number): readonly number[] {
  return nodeIds.includes(nodeId) ? nodeIds : [...nodeIds, nodeId].sort((left, right) => left - right);
}

/** Ascending, without this node. */
export function withoutNode(nodeIds: readonly number[], nodeId: number): readonly number[] {
  return nodeIds.includes(nodeId) ? nodeIds.filter((other) => other !== nodeId) : nodeIds;
}

interface Change {
  readonly chunkId: number;
  readonly before: ChunkRow | undefined;
  readonly after: ChunkRow | undefined;
}

function moveBetweenSets(tables: Tables, { chunkId, before, after }: Change): void {
  const source = before === undefined ? undefined : copySetKey(before.confirmedNodeIds);
  const target = after === undefined ? undefined : copySetKey(after.confirmedNodeIds);
  const heldBefore = before !== undefined && isHeld(before) ? 1 : 0;
  const heldAfter = after !== undefined && isHeld(after) ? 1 : 0;
  const lengthBytes = (after ?? before)?.lengthBytes ?? 0;
  const bucket = bucketOf(chunkId);
  if (source === target) {
    if (source !== undefined && heldBefore !== heldAfter) {
      addToSet(tables, source, { chunkCount: 0, heldCount: heldAfter - heldBefore, lengthBytes });
    }
    return;
  }
  if (source !== undefined) {
    addToSet(tables, source, { chunkCount: -1, heldCount: -heldBefore, lengthBytes });
    tables.delete(copySetChunkTable, [source, bucket, chunkId]);
  }
  if (target !== undefined && after !== undefined) {
    addToSet(tables, target, { chunkCount: 1, heldCount: heldAfter, lengthBytes });
    tables.set(copySetChunkTable, [target, bucket, chunkId], { generation: after.generation, lengthBytes });
  }
}

function addToSet(
  tables: Tables,
  key: string,
  change: { readonly chunkCount: number; readonly heldCount: number; readonly lengthBytes: number },
): void {
  const present = tables.get(copySetTable, [key]);
  if (present === undefined) noteCopySet(tables, key);
  const row = present ?? { chunkCount: 0, heldCount: 0, heldBytes: 0 };
  const chunkCount = row.chunkCount + change.chunkCount;
  const heldCount = row.heldCount + change.heldCount;
  // Rows that an earlier version wrote have no bytes; the sum is only for estimates.
  const heldBytes = Math.max(0, row.heldBytes + change.heldCount * change.lengthBytes);
  assert(heldCount >= 0 && heldCount <= chunkCount, "a copy set counts its chunks");
  if (chunkCount === 0) {
    tables.delete(copySetTable, [key]);
    forgetCopySet(tables, key);
  } else tables.set(copySetTable, [key], { chunkCount, heldCount, heldBytes });
}

interface Copy {
  readonly nodeId: number;
  readonly chunkId: number;
  readonly row: ChunkRow;
}

function addToBucket(tables: Tables, { nodeId, chunkId, row }: Copy): void {
  const key: [number, number] = [nodeId, bucketOf(chunkId)];
  const bucket = tables.get(nodeBucketTable, key) ?? { digest: 0, chunkCount: 0 };
  const digest = addDigests(
    bucket.digest,
    copyDigest({ chunkId, generation: row.generation, lengthBytes: row.lengthBytes }),
  );
  tables.set(nodeBucketTable, key, { digest, chunkCount: bucket.chunkCount + 1 });
}

function takeFromBucket(tables: Tables, { nodeId, chunkId, row }: Copy): void {
  const key: [number, number] = [nodeId, bucketOf(chunkId)];
  const bucket = tables.get(nodeBucketTable, key);
  assert(bucket !== undefined && bucket.chunkCount > 0, "a confirmed copy is in its node's expected inventory");
  const digest = subtractDigest(
    bucket.digest,
    copyDigest({ chunkId, generation: row.generation, lengthBytes: row.lengthBytes }),
  );
  if (bucket.chunkCount === 1) tables.delete(nodeBucketTable, key);
  else tables.set(nodeBucketTable, key, { digest, chunkCount: bucket.chunkCount - 1 });
}

function noteCorruption(tables: Tables, { chunkId, before, after }: Change): void {
  const was = before !== undefined && isCorrupt(before);
  const is = after !== undefined && isCorrupt(after);
  if (was === is) return;
  addToCounter(tables, corruptCounter, is ? 1 : -1);
  if (is) tables.set(corruptTable, [chunkId], {});
  else tables.delete(corruptTable, [chunkId]);
}

function isCorrupt(row: ChunkRow): boolean {
  return isHeld(row) && row.corruptNodeIds.length > 0;
}
