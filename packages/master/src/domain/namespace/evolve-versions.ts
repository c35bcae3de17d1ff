import { assert, must } from "@holdfast/base";
import type { EventOf } from "../events.ts";
import type { EvolveContext } from "../evolve-context.ts";
import { orderedInsert, orderedRemove } from "../ordered-index.ts";
import { addToUsage, noteId } from "../state.ts";
import type { Tables } from "../tables.ts";
import { idKey, newestFirstKey } from "../time-key.ts";
import { detach, entryOf } from "./evolve.ts";
import { entryKind, entryTable, purgingSet, trashSet, versionTable, type EntryRecord } from "./state.ts";

/** New content of a file; the version before it is kept. */
export function evolveVersionCommitted(
  tables: Tables,
  event: EventOf<"versionCommitted">,
  context: EvolveContext,
): void {
  const { entryId, versionId, sizeBytes, sha256, chunkIds, inlineContent } = event;
  const entry = entryOf(tables, entryId);
  assert(entry.kind === entryKind.file, "only a file has versions");
  noteId(tables, "version", versionId);
  const version = { entryId, sizeBytes, sha256, chunkIds, inlineContent, createdAtMs: context.atMs, newerVersionId: 0 };
  tables.set(versionTable, [versionId], version);
  const former = entry.versionId === 0 ? undefined : tables.get(versionTable, [entry.versionId]);
  if (former !== undefined) tables.set(versionTable, [entry.versionId], { ...former, newerVersionId: versionId });
  tables.set(entryTable, [entryId], {
    ...entry,
    sizeBytes,
    sha256,
    versionId,
    modifiedAtMs: context.atMs,
    revision: context.index,
    versionCount: entry.versionCount + 1,
    oldestVersionId: entry.versionCount === 0 ? versionId : entry.oldestVersionId,
  });
  addToUsage(tables, entry.ownerId, { files: 0, bytes: sizeBytes });
}

/** The oldest version is given up. Returns its chunks, which nobody needs any more. */
export function evolveVersionPurged(tables: Tables, event: EventOf<"versionPurged">): readonly number[] {
  const { entryId, versionId } = event;
  const entry = entryOf(tables, entryId);
  assert(entry.oldestVersionId === versionId, "the oldest version goes first");
  assert(entry.versionId !== versionId, "the current version stays");
  const version = must(tables.get(versionTable, [versionId]), "an event purges a version that is there");
  tables.delete(versionTable, [versionId]);
  const versionCount = entry.versionCount - 1;
  tables.set(entryTable, [entryId], { ...entry, versionCount, oldestVersionId: version.newerVersionId });
  addToUsage(tables, entry.ownerId, { files: 0, bytes: -version.sizeBytes });
  return version.chunkIds;
}

/**
 * An entry is gone for ever. A folder that still has children is kept out of sight until the last of them is purged.
 * Returns the chunks that nobody needs any more.
 */
export function evolveEntryPurged(tables: Tables, event: EventOf<"entryPurged">): readonly number[] {
  const { entryId } = event;
  const entry = entryOf(tables, entryId);
  assert(!entry.isPurged, "an entry is purged once");
  if (entry.trashedAtMs > 0) {
    orderedRemove(tables, trashSet(entry.ownerId), newestFirstKey(entry.trashedAtMs, entryId));
  } else {
    assert(entryOf(tables, entry.parentId).isPurged, "an entry is purged from the trash or from a purged folder");
    detach(tables, entryId, entry);
    forgetIfEmpty(tables, entry.parentId);
  }
  if (entry.kind === entryKind.file) return forgetFile(tables, entryId, entry);
  if (entry.childCount === 0) {
    tables.delete(entryTable, [entryId]);
    return [];
  }
  tables.set(entryTable, [entryId], { ...entry, parentId: 0, trashedAtMs: 0, isPurged: true });
  orderedInsert(tables, purgingSet, idKey(entryId));
  return [];
}

function forgetIfEmpty(tables: Tables, folderId: number): void {
  if (entryOf(tables, folderId).childCount > 0) return;
  tables.delete(entryTable, [folderId]);
  orderedRemove(tables, purgingSet, idKey(folderId));
}

function forgetFile(tables: Tables, entryId: number, entry: EntryRecord): readonly number[] {
  const chunkIds: number[] = [];
  let bytes = 0;
  let versionId = entry.oldestVersionId;
  for (let count = 0; count < entry.versionCount; count++) {
    const version = must(tables.get(versionTable, [versionId]), "a file's versions form a chain");
    for (const chunkId of version.chunkIds) chunkIds.push(chunkId);
    bytes += version.sizeBytes;
    tables.delete(versionTable, [versionId]);
    versionId = version.newerVersionId;
  }
  tables.delete(entryTable, [entryId]);
  addToUsage(tables, entry.ownerId, { files: -1, bytes: -bytes });
  return chunkIds;
}
