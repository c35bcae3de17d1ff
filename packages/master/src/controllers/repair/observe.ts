import type { KeyValueStore } from "@holdfast/runtime";
import { copiesLeft, orderUnderReplicated, type CountedCopySet, type HealthView } from "../../domain/chunks/health.ts";
import {
  chunkTable,
  copySetChunkTable,
  copySetTable,
  isHeld,
  trimTable,
  type ChunkRow,
} from "../../domain/chunks/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import { tableRange } from "../../projections/table-range.ts";

/** Chunks looked at in one step, and of one copy set, so that a set that can't be helped does not hide the others. */
const chunksMax = 1024;
const chunksPerSetMax = 256;

/** A chunk that somebody needs, with its row. */
export interface SeenChunk {
  readonly chunkId: number;
  readonly row: ChunkRow;
}

/** What the tables say about chunks with too few or too many copies. */
export interface SeenChunks {
  /** Most urgent first; at least one copy is left of each. */
  readonly short: readonly SeenChunk[];
  readonly over: readonly SeenChunk[];
  /** All short and readable chunks, listed here or not. */
  readonly shortCount: number;
}

/** Finds them by their copy sets: its cost follows the number of sets and the limits above, not that of all chunks. */
export async function observeChunks(store: KeyValueStore, tables: TableReader, view: HealthView): Promise<SeenChunks> {
  const sets: CountedCopySet[] = [];
  for await (const [[key], { heldCount }] of tableRange(store, copySetTable)) sets.push({ key, heldCount });
  const short = orderUnderReplicated(sets, view).filter((set) => set.copies > 0);
  const over = sets.filter((set) => set.heldCount > 0 && copiesLeft(set.key, view.isUp) > view.replication);
  return {
    short: await listChunks(store, tables, short),
    over: await listChunks(store, tables, over),
    shortCount: short.reduce((sum, set) => sum + set.heldCount, 0),
  };
}

async function listChunks(
  store: KeyValueStore,
  tables: TableReader,
  sets: readonly CountedCopySet[],
): Promise<readonly SeenChunk[]> {
  const seen: SeenChunk[] = [];
  for (const { key } of sets) {
    const limit = Math.min(chunksPerSetMax, chunksMax - seen.length);
    if (limit <= 0) break;
    for await (const [[, , chunkId]] of tableRange(store, copySetChunkTable, { prefix: [key], limit })) {
      const row = tables.get(chunkTable, [chunkId]);
      if (row !== undefined && isHeld(row)) seen.push({ chunkId, row });
    }
  }
  return seen;
}

/** Where a copy is expected, not confirmed, and not being ordered away. */
export function openPlaces(tables: TableReader, { chunkId, row }: SeenChunk): readonly number[] {
  return row.placedNodeIds.filter(
    (nodeId) => !row.confirmedNodeIds.includes(nodeId) && tables.get(trimTable, [nodeId, chunkId]) === undefined,
  );
}
