import { assert, must } from "@holdfast/base";
import type { EventOf } from "../events.ts";
import type { EvolveContext } from "../evolve-context.ts";
import { orderedInsert, orderedRemove } from "../ordered-index.ts";
import { addToUsage, noteId } from "../state.ts";
import type { Tables } from "../tables.ts";
import { newestFirstKey } from "../time-key.ts";
import { childSortKey } from "./collation.ts";
import { childrenSet, childTable, entryKind, entryTable, trashSet, type EntryRecord } from "./state.ts";

const noBytes = new Uint8Array(0);

/** A fresh entry without content. */
export function newRecord(
  facts: Pick<EntryRecord, "parentId" | "name" | "kind" | "ownerId">,
  context: EvolveContext,
): EntryRecord {
  return {
    ...facts,
    createdAtMs: context.atMs,
    modifiedAtMs: context.atMs,
    sizeBytes: 0,
    sha256: noBytes,
    versionId: 0,
    revision: context.index,
    childCount: 0,
    trashedAtMs: 0,
    originParentId: 0,
    versionCount: 0,
    oldestVersionId: 0,
    isPurged: false,
  };
}

/** The entry, which an event says is there. */
export function entryOf(tables: Tables, entryId: number): EntryRecord {
  return must(tables.get(entryTable, [entryId]), "an event changes an entry that is there");
}

/** A folder. */
export function evolveFolderCreated(tables: Tables, event: EventOf<"folderCreated">, context: EvolveContext): void {
  create(tables, { ...event, entryKind: entryKind.folder }, context);
}

/** A file, still without a version. */
export function evolveFileCreated(tables: Tables, event: EventOf<"fileCreated">, context: EvolveContext): void {
  create(tables, { ...event, entryKind: entryKind.file }, context);
  addToUsage(tables, event.ownerId, { files: 1, bytes: 0 });
}

type Created = Omit<EventOf<"fileCreated"> | EventOf<"folderCreated">, "kind"> & { readonly entryKind: number };

function create(tables: Tables, created: Created, context: EvolveContext): void {
  const { entryId, parentId, name, ownerId } = created;
  noteId(tables, "entry", entryId);
  assert(tables.get(entryTable, [entryId]) === undefined, "an entry id is used once");
  const entry = newRecord({ parentId, name, kind: created.entryKind, ownerId }, context);
  tables.set(entryTable, [entryId], entry);
  attach(tables, entryId, entry);
}

/** Another name or folder. */
export function evolveEntryMoved(tables: Tables, event: EventOf<"entryMoved">, context: EvolveContext): void {
  const entry = entryOf(tables, event.entryId);
  assert(entry.parentId === event.sourceParentId, "a moved entry was where the event says");
  detach(tables, event.entryId, entry);
  const moved = { ...entry, parentId: event.targetParentId, name: event.targetName, ...stamp(context) };
  tables.set(entryTable, [event.entryId], moved);
  attach(tables, event.entryId, moved);
}

/** Into the owner's trash. */
export function evolveEntryTrashed(tables: Tables, event: EventOf<"entryTrashed">, context: EvolveContext): void {
  const entry = entryOf(tables, event.entryId);
  assert(entry.parentId === event.sourceParentId, "a trashed entry was where the event says");
  detach(tables, event.entryId, entry);
  const trashed = {
    ...entry,
    parentId: 0,
    originParentId: event.sourceParentId,
    // Zero means "not in the trash"; a cluster whose clock stands at zero must not lose that.
    trashedAtMs: Math.max(context.atMs, 1),
    revision: context.index,
  };
  tables.set(entryTable, [event.entryId], trashed);
  orderedInsert(tables, trashSet(entry.ownerId), newestFirstKey(trashed.trashedAtMs, event.entryId));
}

/** Out of the trash. */
export function evolveEntryRestored(tables: Tables, event: EventOf<"entryRestored">, context: EvolveContext): void {
  const entry = entryOf(tables, event.entryId);
  assert(entry.trashedAtMs > 0, "a restored entry was in the trash");
  orderedRemove(tables, trashSet(entry.ownerId), newestFirstKey(entry.trashedAtMs, event.entryId));
  const restored = {
    ...entry,
    parentId: event.targetParentId,
    name: event.targetName,
    trashedAtMs: 0,
    originParentId: 0,
    revision: context.index,
  };
  tables.set(entryTable, [event.entryId], restored);
  attach(tables, event.entryId, restored);
}

/** Puts an entry among the children of its parent. */
export function attach(tables: Tables, entryId: number, entry: EntryRecord): void {
  assert(tables.get(childTable, [entry.parentId, entry.name]) === undefined, "a name is in a folder once");
  tables.set(childTable, [entry.parentId, entry.name], { entryId });
  orderedInsert(tables, childrenSet(entry.parentId), childSortKey({ ...entry, entryId }));
  countChildren(tables, entry.parentId, 1);
}

/** Takes an entry out of the children of its parent. */
export function detach(tables: Tables, entryId: number, entry: EntryRecord): void {
  tables.delete(childTable, [entry.parentId, entry.name]);
  const wasThere = orderedRemove(tables, childrenSet(entry.parentId), childSortKey({ ...entry, entryId }));
  assert(wasThere, "a child is in the order of its folder");
  countChildren(tables, entry.parentId, -1);
}

function countChildren(tables: Tables, folderId: number, change: number): void {
  const folder = entryOf(tables, folderId);
  tables.set(entryTable, [folderId], { ...folder, childCount: folder.childCount + change });
}

function stamp(context: EvolveContext): Pick<EntryRecord, "modifiedAtMs" | "revision"> {
  return { modifiedAtMs: context.atMs, revision: context.index };
}
