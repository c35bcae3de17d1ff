import type { KeyValueStore } from "@holdfast/runtime";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { chunkTable, copySetChunkTable } from "../../domain/chunks/tables.ts";
import { entryTable } from "../../domain/namespace/state.ts";
import type { TableReader } from "../../domain/tables.ts";
import { tableRange } from "../../projections/table-range.ts";

/** Files counted one by one; what is more is not told apart. */
const filesMax = 10_000;
/** Chunks looked at for it: a few large files have many. */
const chunksMax = 50_000;
/** Files named. */
export const examplesMax = 20;
/** Folders above a file that its path names. */
const depthMax = 4096;

/** Files with a chunk in one of some sets. */
export interface FilesAtRisk {
  /** Distinct; up to 10,000. */
  readonly count: number;
  readonly entryIds: readonly number[];
}

/** Counts the files that need a chunk of these sets, in any version. Cost: bounded, whatever the number of chunks. */
export async function countFiles(
  store: KeyValueStore,
  tables: TableReader,
  { sets, signal }: { readonly sets: readonly Pick<CountedSet, "key">[]; readonly signal: AbortSignal },
): Promise<FilesAtRisk> {
  const entryIds = new Set<number>();
  let left = chunksMax;
  for (const { key } of sets) {
    if (left <= 0 || entryIds.size >= filesMax) break;
    for await (const [[, , chunkId]] of tableRange(store, copySetChunkTable, { prefix: [key], limit: left })) {
      signal.throwIfAborted();
      left -= 1;
      const entryId = tables.get(chunkTable, [chunkId])?.holderEntryId ?? 0;
      if (entryId !== 0) entryIds.add(entryId);
      if (entryIds.size >= filesMax) break;
    }
  }
  return { count: entryIds.size, entryIds: [...entryIds] };
}

/** The path of an entry from its owner's root; "(in the trash)" before what is there; undefined when it is gone. */
export function pathOf(tables: TableReader, entryId: number): string | undefined {
  const names: string[] = [];
  let isTrashed = false;
  let id = entryId;
  for (let depth = 0; depth < depthMax; depth++) {
    const entry = tables.get(entryTable, [id]);
    if (entry === undefined || entry.isPurged) return undefined;
    isTrashed ||= entry.trashedAtMs > 0;
    if (entry.parentId === 0) break;
    names.unshift(entry.name);
    id = entry.parentId;
  }
  return `${isTrashed ? "(in the trash) " : ""}/${names.join("/")}`;
}
