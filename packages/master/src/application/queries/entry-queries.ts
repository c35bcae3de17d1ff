import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  GetEntryResponseSchema,
  ListFolderResponseSchema,
  ListTrashResponseSchema,
  ResolvePathResponseSchema,
  type GetEntryRequest,
  type GetEntryResponse,
  type ListFolderRequest,
  type ListFolderResponse,
  type ListTrashRequest,
  type ListTrashResponse,
  type ResolvePathRequest,
  type ResolvePathResponse,
} from "@holdfast/proto/master/v1/master";
import type { Entry } from "@holdfast/proto/model/v1/model";
import { usersTable } from "../../domain/accounts/state.ts";
import { childNamed } from "../../domain/namespace/lookup.ts";
import { childrenSet, entryKind, entryTable, trashSet, type EntryRecord } from "../../domain/namespace/state.ts";
import { orderedPage, orderedPageAfter, type OrderedSet } from "../../domain/ordered-index.ts";
import type { TableReader } from "../../domain/tables.ts";
import { idAtEnd } from "../../domain/time-key.ts";
import { entryToWire, readWireEntry } from "../../wire/entry.ts";
import { pageLimit, requestInteger } from "../../wire/request.ts";

const pageDefaults = { whenZero: 200, max: 1000 } as const;
const cursorBytesMax = 2048;

/** An entry that the user may see (user 0 sees all). Errors: `notFound`. */
export function readEntry(
  tables: TableReader,
  wish: { readonly entryId: bigint; readonly userId: bigint },
): { readonly entryId: number; readonly entry: EntryRecord } {
  const entryId = requestInteger(wish.entryId, "entry_id");
  const userId = requestInteger(wish.userId, "user_id");
  const entry = tables.get(entryTable, [entryId]);
  if (entry === undefined || entry.isPurged || (userId !== 0 && entry.ownerId !== userId))
    throw absent("The file or folder");
  return { entryId, entry };
}

/** One entry with the folders above it. What lies in the trash has those up to the trashed folder. */
export function getEntry(tables: TableReader, request: GetEntryRequest, index: bigint): GetEntryResponse {
  const { entryId, entry } = readEntry(tables, request);
  const ancestors: Entry[] = [];
  let parentId = entry.parentId;
  while (parentId !== 0) {
    const parent = tables.get(entryTable, [parentId]);
    // A purged folder hides what is still below it.
    if (parent === undefined || parent.isPurged) throw absent("The file or folder");
    ancestors.unshift(entryToWire(parentId, parent));
    parentId = parent.parentId;
  }
  return create(GetEntryResponseSchema, { entry: entryToWire(entryId, entry), ancestors, index });
}

/** The entry at an absolute path. Names are compared in NFC; empty parts do not count. */
export function resolvePath(tables: TableReader, request: ResolvePathRequest, index: bigint): ResolvePathResponse {
  const user = tables.get(usersTable, [requestInteger(request.userId, "user_id")]);
  if (user === undefined) throw absent("The account");
  if (!request.path.startsWith("/") || request.path.includes("\0")) {
    throw new HoldfastError("invalidArgument", 'A path begins with "/" and holds no NUL.');
  }
  let entryId = user.rootEntryId;
  for (const name of request.path.normalize("NFC").split("/")) {
    if (name === "") continue;
    const child = childNamed(tables, entryId, name);
    if (child === undefined) throw absent("The path");
    entryId = child.entryId;
  }
  const entry = readWireEntry(tables, entryId);
  if (entry === undefined) throw absent("The path");
  return create(ResolvePathResponseSchema, { entry, index });
}

/** A page of a folder, by offset or behind a cursor; a few gets, however large the folder is. */
export function listFolder(tables: TableReader, request: ListFolderRequest, index: bigint): ListFolderResponse {
  const { entryId, entry } = readEntry(tables, { entryId: request.folderId, userId: request.userId });
  if (entry.kind !== entryKind.folder) throw absent("The folder");
  const page = readPage(tables, childrenSet(entryId), request);
  return create(ListFolderResponseSchema, {
    ...page,
    totalCount: entry.childCount,
    folder: entryToWire(entryId, entry),
    index,
  });
}

/** A page of a user's trash, newest first. */
export function listTrash(tables: TableReader, request: ListTrashRequest, index: bigint): ListTrashResponse {
  const userId = requestInteger(request.userId, "user_id");
  const page = readPage(tables, trashSet(userId), { ...request, offset: 0 });
  return create(ListTrashResponseSchema, { ...page, index });
}

function readPage(
  tables: TableReader,
  set: OrderedSet,
  request: { readonly offset: number; readonly limit: number; readonly cursor: Uint8Array },
): { readonly entries: Entry[]; readonly cursor: Uint8Array } {
  const limit = pageLimit(request.limit, pageDefaults);
  if (request.cursor.length > cursorBytesMax)
    throw new HoldfastError("invalidArgument", "The cursor is not one of this list.");
  // One more than asked for says whether there is a next page.
  const keys =
    request.cursor.length > 0
      ? orderedPageAfter(tables, set, { key: request.cursor, limit: limit + 1 })
      : orderedPage(tables, set, { offset: request.offset, limit: limit + 1 });
  const entries: Entry[] = [];
  for (const key of keys.slice(0, limit)) {
    const entry = readWireEntry(tables, idAtEnd(key));
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, cursor: keys.length > limit ? (keys[limit - 1] ?? new Uint8Array(0)) : new Uint8Array(0) };
}

/** The error for what is not there, and for what is not there for this user. */
export function absent(what: string): HoldfastError {
  return new HoldfastError("notFound", `${what} does not exist (any more).`);
}
