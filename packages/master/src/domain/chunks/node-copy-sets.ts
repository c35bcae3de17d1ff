import { orderedCount, orderedInsert, orderedPage, orderedRemove, orderedFamily } from "../ordered-index.ts";
import type { TableReader, Tables } from "../tables.ts";
import { copySetTable, parseCopySetKey } from "./tables.ts";

/** A copy set that a node is in, with what it counts. */
export interface NodeCopySet {
  readonly key: string;
  /** Ascending, the node itself included. */
  readonly nodeIds: readonly number[];
  /** Chunks that somebody needs. */
  readonly heldCount: number;
}

/** The copy sets that a node is in, read by gets alone, so that a decision sees what is in flight, too. */
export function copySetsOfNode(tables: TableReader, nodeId: number): readonly NodeCopySet[] {
  const set = { family: orderedFamily.copySetsOfNode, group: nodeId };
  return orderedPage(tables, set, { offset: 0, limit: orderedCount(tables, set) }).map((bytes) => {
    const key = String.fromCharCode(...bytes);
    return { key, nodeIds: parseCopySetKey(key), heldCount: tables.get(copySetTable, [key])?.heldCount ?? 0 };
  });
}

/** Needed chunks with a confirmed copy on the node. */
export function countHeldCopies(tables: TableReader, nodeId: number): number {
  return copySetsOfNode(tables, nodeId).reduce((sum, set) => sum + set.heldCount, 0);
}

/** For `changeChunk`: a copy set has its first chunk. */
export function noteCopySet(tables: Tables, key: string): void {
  for (const nodeId of parseCopySetKey(key))
    orderedInsert(tables, { family: orderedFamily.copySetsOfNode, group: nodeId }, bytesOf(key));
}

/** For `changeChunk`: a copy set lost its last chunk. */
export function forgetCopySet(tables: Tables, key: string): void {
  for (const nodeId of parseCopySetKey(key))
    orderedRemove(tables, { family: orderedFamily.copySetsOfNode, group: nodeId }, bytesOf(key));
}

/** Keys are digits and commas. */
function bytesOf(key: string): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0));
}
