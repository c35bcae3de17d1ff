import type { KeyValueChange, KeyValueStore } from "@holdfast/runtime";
import { must } from "@holdfast/base";
import { readProgress } from "../../application/fold-entry.ts";
import { WriteBuffer } from "../../application/write-buffer.ts";
import { evolve } from "../../domain/evolve.ts";
import type { EvolveContext } from "../../domain/evolve-context.ts";
import { entryTable } from "../../domain/namespace/state.ts";
import { addToUsage, nextIds, noteId } from "../../domain/state.ts";
import { readerOf, tablesOf } from "../../domain/tables.ts";
import { chunkRows, copySetChunkRows, setCopySets, setInventories } from "./fill-chunks.ts";
import {
  childRows,
  entryIdOf,
  fileOf,
  fileRows,
  folderCount,
  folderRows,
  orderRows,
  versionRows,
  type ScaleFiles,
} from "./fill-files.ts";
import { ScaleCopies, type ScaleInventories } from "./scale-copies.ts";
import { scaleChunkBytes, type ScaleSize } from "./scale-size.ts";

/** Rows written in one batch. */
const batchRows = 8192;

/** What was filled in. */
export interface FilledStore {
  readonly inventories: ScaleInventories;
  readonly setCount: number;
  readonly rowCount: number;
}

/**
 * Adds a large cluster's files and chunks to the projections of a master at rest, in which the nodes have joined and no
 * file is: row for row what folding the `chunksGranted`, `fileCreated`, `chunkPlaced` and `versionCommitted` of each file would leave (a test
 * compares them). Table by table in the order of keys, because ten million files event by event take more than an hour.
 */
export async function fillStore(store: KeyValueStore, size: ScaleSize): Promise<FilledStore> {
  const copies = new ScaleCopies(size);
  const sets = copies.sets();
  const inventories = copies.inventories();
  const { appliedIndex, atMs } = readProgress(readerOf(store));
  const files = await foldFolders(store, { size, context: { index: appliedIndex, atMs, actor: "bench" } });
  const reader = readerOf(store);
  const folderOf = (folderId: number) => must(reader.get(entryTable, [folderId]), "the folder was folded");
  const holderOf = (chunkId: number) => {
    const number = fileOf(size, chunkId);
    return { holderEntryId: entryIdOf(files, number), holderVersionId: number };
  };
  let rowCount = 0;
  for (const rows of [
    orderRows(files),
    folderRows(files, folderOf),
    fileRows(files),
    childRows(files),
    versionRows(files),
    chunkRows(copies, holderOf),
    copySetChunkRows(sets),
  ])
    rowCount += await writeAll(store, rows);
  const buffer = new WriteBuffer(store);
  const tables = tablesOf(buffer);
  setCopySets(tables, sets);
  setInventories(tables, inventories);
  noteId(tables, "grant", 1);
  noteId(tables, "chunk", size.chunkCount);
  noteId(tables, "version", files.count);
  noteId(tables, "entry", entryIdOf(files, files.count));
  addToUsage(tables, files.ownerId, { files: files.count, bytes: size.chunkCount * scaleChunkBytes });
  await store.write(buffer.changes(), { isDurable: true });
  return { inventories, setCount: sets.keys.length, rowCount: rowCount + buffer.changes().length };
}

/** An account and its folders, by their events. */
async function foldFolders(
  store: KeyValueStore,
  { size, context }: { readonly size: ScaleSize; readonly context: EvolveContext },
): Promise<ScaleFiles> {
  const buffer = new WriteBuffer(store);
  const tables = tablesOf(buffer);
  const [userId = 1] = nextIds(tables, "user");
  const [rootEntryId = 1] = nextIds(tables, "entry");
  const user = { userId, email: "scale@example.org", passwordHash: "$argon2id$x", isAdmin: false, rootEntryId };
  evolve(tables, { kind: "userCreated", ...user, phone: "", channels: [] }, context);
  const files = {
    ownerId: userId,
    count: fileOf(size, size.chunkCount),
    size,
    firstFolderId: rootEntryId + 1,
    context,
  };
  for (let number = 1; number <= folderCount(files); number++) {
    const folder = { entryId: rootEntryId + number, parentId: rootEntryId, name: `folder ${number}`, ownerId: userId };
    evolve(tables, { kind: "folderCreated", ...folder }, context);
  }
  await store.write(buffer.changes());
  return files;
}

async function writeAll(store: KeyValueStore, rows: Iterable<KeyValueChange>): Promise<number> {
  let rowCount = 0;
  let batch: KeyValueChange[] = [];
  let written: Promise<void> = Promise.resolve();
  for (const row of rows) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    rowCount += batch.length;
    await written;
    written = store.write(batch);
    batch = [];
  }
  await written;
  await store.write(batch);
  return rowCount + batch.length;
}
