import type { KeyValueStore } from "@holdfast/runtime";
import {
  chunkTable,
  copySetChunkTable,
  isHeld,
  moveTable,
  trimTable,
  type ChunkRow,
  type MoveRow,
} from "../../domain/chunks/tables.ts";
import type { DecideContext } from "../../domain/decision.ts";
import { placementNodes } from "../../domain/fleet/placement-nodes.ts";
import { copiesCount, copiesStay, isExcused } from "../../domain/fleet/standing.ts";
import { successorOf } from "../../domain/fleet/replacements.ts";
import { nodeIntent, nodeTable } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import { tableRange } from "../../projections/table-range.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { heldBytesByNode } from "./classify-sets.ts";
import type { CopyNode } from "./copy-node.ts";

/**
 * Chunks looked at in one step, and of one copy set: so that a set that can't be helped does not hide the others, and that
 * many sets, which is many sources and targets, are at work together.
 */
const chunksMax = 1024;
const chunksPerSetMin = 32;
const chunksPerSetMax = 256;
/** Moves looked at in one step; there are never so many. */
const movesMax = 1024;

/** A chunk that somebody needs, with its row. */
export interface SeenChunk {
  readonly chunkId: number;
  readonly row: ChunkRow;
}

/** A move that was begun, with its chunk. */
export interface SeenMove extends SeenChunk {
  readonly move: MoveRow;
}

/** All nodes that were not removed: what the log orders them to do, and what the leader sees of them. */
export function readCopyNodes(
  tables: TableReader,
  context: Pick<DecideContext, "nodes"> & { readonly sets: readonly CountedSet[] },
): readonly CopyNode[] {
  const nodes = placementNodes(tables, context);
  const heldBytesOf = heldBytesByNode(context.sets, nodes);
  return nodes.flatMap((node) => {
    const row = tables.get(nodeTable, [node.nodeId]);
    if (row === undefined) return [];
    const { intent } = row;
    // Who was replaced is never active again.
    const successorId = intent === nodeIntent.active ? undefined : successorOf(tables, node.nodeId)?.nodeId;
    const isByOrder = intent === nodeIntent.maintenance || intent === nodeIntent.failed || successorId !== undefined;
    const isLeaving = intent === nodeIntent.draining || intent === nodeIntent.drained;
    return {
      ...node,
      downAtMs: row.isDown && !isByOrder ? row.changedAtMs : undefined,
      counts: copiesCount(row),
      stays: copiesStay(row),
      isLeaving,
      isExcused: isExcused(row),
      isFailed: intent === nodeIntent.failed,
      successorId,
      heldBytes: heldBytesOf(node.nodeId),
    };
  });
}

/** Some chunks of these sets, in the order of the sets. Its cost follows the limits, not the number of all chunks. */
export async function listChunks(
  store: KeyValueStore,
  tables: TableReader,
  sets: readonly Pick<CountedSet, "key">[],
): Promise<readonly SeenChunk[]> {
  const seen: SeenChunk[] = [];
  const share = Math.ceil(chunksMax / Math.max(1, sets.length));
  const perSet = Math.min(chunksPerSetMax, Math.max(chunksPerSetMin, share));
  for (const { key } of sets) {
    const limit = Math.min(perSet, chunksMax - seen.length);
    if (limit <= 0) break;
    for (const chunk of await listChunksOf(store, tables, { key, limit })) seen.push(chunk);
  }
  return seen;
}

/** The first chunks of a set that somebody needs. */
export async function listChunksOf(
  store: KeyValueStore,
  tables: TableReader,
  { key, limit }: { readonly key: string; readonly limit: number },
): Promise<readonly SeenChunk[]> {
  const seen: SeenChunk[] = [];
  for await (const [[, , chunkId]] of tableRange(store, copySetChunkTable, { prefix: [key], limit })) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row !== undefined && isHeld(row)) seen.push({ chunkId, row });
  }
  return seen;
}

/** Moves for balance that were begun and are not over; those of chunks that nobody needs any more are left out. */
export async function readMoves(store: KeyValueStore, tables: TableReader): Promise<readonly SeenMove[]> {
  const moves: SeenMove[] = [];
  for await (const [[chunkId], move] of tableRange(store, moveTable, { limit: movesMax })) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row !== undefined && isHeld(row)) moves.push({ chunkId, row, move });
  }
  return moves;
}

/** Where a copy is expected, not confirmed, and not being ordered away. */
export function openPlaces(tables: TableReader, { chunkId, row }: SeenChunk): readonly number[] {
  return row.placedNodeIds.filter(
    (nodeId) => !row.confirmedNodeIds.includes(nodeId) && tables.get(trimTable, [nodeId, chunkId]) === undefined,
  );
}
