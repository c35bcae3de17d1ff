import type { KeyValueChange } from "@holdfast/runtime";
import { WriteBuffer } from "../../application/write-buffer.ts";
import { childSortKey } from "../../domain/namespace/collation.ts";
import { newRecord } from "../../domain/namespace/evolve.ts";
import {
  childrenSet,
  childTable,
  entryKind,
  entryTable,
  versionTable,
  type EntryRecord,
} from "../../domain/namespace/state.ts";
import { orderedInsert } from "../../domain/ordered-index.ts";
import { tableKey, tablesOf } from "../../domain/tables.ts";
import type { EvolveContext } from "../../domain/evolve-context.ts";
import { scaleChunkBytes, scaleFolderFiles, scaleSha256, type ScaleSize } from "./scale-size.ts";

const noBytes = new Uint8Array(0);

/** The files of a large cluster, numbered from 1, in folders of a thousand. File n has the version n. */
export interface ScaleFiles {
  readonly ownerId: number;
  readonly count: number;
  readonly size: ScaleSize;
  /** Of the first folder; the others follow. */
  readonly firstFolderId: number;
  readonly context: EvolveContext;
}

/** The file that a chunk is of. */
export function fileOf({ chunksPerFile }: ScaleSize, chunkId: number): number {
  return Math.ceil(chunkId / chunksPerFile);
}

/** The chunks of a file, in order. */
export function chunkIdsOf({ chunksPerFile, chunkCount }: ScaleSize, number: number): readonly number[] {
  const first = (number - 1) * chunksPerFile + 1;
  const length = Math.min(chunksPerFile, chunkCount - first + 1);
  return Array.from({ length }, (_, index) => first + index);
}

/** The entry of a file: files come after all folders. */
export function entryIdOf(files: ScaleFiles, number: number): number {
  return files.firstFolderId + folderCount(files) - 1 + number;
}

/** How many folders the files need. */
export function folderCount({ count }: Pick<ScaleFiles, "count">): number {
  return Math.ceil(count / scaleFolderFiles);
}

/** The folder of a file. */
export function folderIdOf(files: ScaleFiles, number: number): number {
  return files.firstFolderId + Math.floor((number - 1) / scaleFolderFiles);
}

/** The name of a file. */
export function nameOf(number: number): string {
  return `photo-${`${number}`.padStart(9, "0")}.jpg`;
}

/** Each folder's children in their reading order. */
export function* orderRows(files: ScaleFiles): Generator<KeyValueChange, void, undefined> {
  const nothing = { get: () => undefined };
  for (let first = 1; first <= files.count; first += scaleFolderFiles) {
    const buffer = new WriteBuffer(nothing);
    const tables = tablesOf(buffer);
    const set = childrenSet(folderIdOf(files, first));
    for (let number = first; number < first + scaleFolderFiles && number <= files.count; number++) {
      const entryId = entryIdOf(files, number);
      orderedInsert(tables, set, childSortKey({ kind: entryKind.file, name: nameOf(number), entryId }));
    }
    yield* buffer.changes();
  }
}

/** The folders with their counts. Their own places were folded. */
export function* folderRows(
  files: ScaleFiles,
  folderOf: (folderId: number) => EntryRecord,
): Generator<KeyValueChange, void, undefined> {
  for (let first = 1; first <= files.count; first += scaleFolderFiles) {
    const folderId = folderIdOf(files, first);
    const childCount = Math.min(scaleFolderFiles, files.count - first + 1);
    const value = entryTable.value.encode({ ...folderOf(folderId), childCount });
    yield { key: tableKey(entryTable, [folderId]), value };
  }
}

/** Entries of the files. */
export function* fileRows(files: ScaleFiles): Generator<KeyValueChange, void, undefined> {
  for (let number = 1; number <= files.count; number++) {
    const place = { parentId: folderIdOf(files, number), name: nameOf(number) };
    const facts = { ...place, kind: entryKind.file, ownerId: files.ownerId };
    const sizeBytes = chunkIdsOf(files.size, number).length * scaleChunkBytes;
    const content = { sizeBytes, sha256: scaleSha256(number), versionId: number };
    const entry = { ...newRecord(facts, files.context), ...content, versionCount: 1, oldestVersionId: number };
    yield { key: tableKey(entryTable, [entryIdOf(files, number)]), value: entryTable.value.encode(entry) };
  }
}

/** Files by folder and name. */
export function* childRows(files: ScaleFiles): Generator<KeyValueChange, void, undefined> {
  for (let number = 1; number <= files.count; number++) {
    const key = tableKey(childTable, [folderIdOf(files, number), nameOf(number)]);
    yield { key, value: childTable.value.encode({ entryId: entryIdOf(files, number) }) };
  }
}

/** Versions with their chunks. */
export function* versionRows(files: ScaleFiles): Generator<KeyValueChange, void, undefined> {
  for (let number = 1; number <= files.count; number++) {
    const chunkIds = chunkIdsOf(files.size, number);
    const content = { chunkIds, sizeBytes: chunkIds.length * scaleChunkBytes, sha256: scaleSha256(number) };
    const version = { entryId: entryIdOf(files, number), ...content, inlineContent: noBytes, newerVersionId: 0 };
    const value = versionTable.value.encode({ ...version, createdAtMs: files.context.atMs });
    yield { key: tableKey(versionTable, [number]), value };
  }
}
