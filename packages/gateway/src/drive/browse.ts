import { create } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
import type { Entry } from "@holdfast/proto/model/v1/model";
import {
  GetEntryRequestSchema,
  ListFolderRequestSchema,
  ListTrashRequestSchema,
  ResolvePathRequestSchema,
} from "@holdfast/proto/master/v1/master";
import type { Caller, Masters, RequestScope } from "./ports.ts";

const pathBytesMax = 16_384;
const pageRowsMax = 1000;

/** An entry with the folders above it, root first. */
export interface EntryInPlace {
  readonly entry: Entry;
  readonly ancestors: readonly Entry[];
  readonly index: bigint;
}

/** One page of a folder. */
export interface FolderPage {
  readonly folder: Entry;
  readonly ancestors: readonly Entry[];
  readonly entries: readonly Entry[];
  readonly totalCount: number;
  /** Empty at the end. */
  readonly cursor: Uint8Array;
  readonly index: bigint;
}

/** Which page of which folder. */
export interface FolderPageRequest {
  /** 0 = the caller's root. */
  readonly folderId: bigint;
  readonly offset: number;
  /** 0 = 200. */
  readonly limit: number;
  readonly cursor: Uint8Array;
}

/** Looking at files and folders. Everything is checked against the caller by the masters: others' entries are `notFound`. */
export interface Browse {
  /** By id, or by absolute path when the id is 0. Errors: notFound, invalidArgument. */
  getEntry(
    caller: Caller,
    which: { readonly entryId: bigint; readonly path: string },
    scope: RequestScope,
  ): Promise<EntryInPlace>;
  /** Errors: notFound, invalidArgument. */
  listFolder(caller: Caller, page: FolderPageRequest, scope: RequestScope): Promise<FolderPage>;
  /** Newest first. */
  listTrash(
    caller: Caller,
    page: { readonly limit: number; readonly cursor: Uint8Array },
    scope: RequestScope,
  ): Promise<{ readonly entries: readonly Entry[]; readonly cursor: Uint8Array }>;
}

/** The browsing use-cases over the masters' queries. */
export function createBrowse(masters: Masters): Browse {
  const entryById = async (caller: Caller, entryId: bigint, scope: RequestScope): Promise<EntryInPlace> => {
    const request = create(GetEntryRequestSchema, { entryId, userId: caller.userId });
    const answer = await masters.queries.getEntry(request, scope);
    return {
      entry: must(answer.entry, "a found entry is in the answer"),
      ancestors: answer.ancestors,
      index: answer.index,
    };
  };

  return {
    async getEntry(caller, { entryId, path }, scope) {
      if (entryId !== 0n) return entryById(caller, entryId, scope);
      const request = create(ResolvePathRequestSchema, { userId: caller.userId, path: checkedPath(path) });
      const answer = await masters.queries.resolvePath(request, scope);
      const found = must(answer.entry, "a found entry is in the answer");
      return entryById(caller, found.entryId, scope);
    },

    async listFolder(caller, page, scope) {
      if (page.limit > pageRowsMax)
        throw new HoldfastError("invalidArgument", `A page has at most ${pageRowsMax} rows. Ask for fewer.`);
      const folderId = page.folderId === 0n ? caller.rootEntryId : page.folderId;
      const request = create(ListFolderRequestSchema, { ...page, folderId, userId: caller.userId });
      const [answer, place] = await Promise.all([
        masters.queries.listFolder(request, scope),
        entryById(caller, folderId, scope),
      ]);
      const { entries, totalCount, cursor, index } = answer;
      return { folder: answer.folder ?? place.entry, ancestors: place.ancestors, entries, totalCount, cursor, index };
    },

    async listTrash(caller, page, scope) {
      const request = create(ListTrashRequestSchema, { ...page, userId: caller.userId });
      const { entries, cursor } = await masters.queries.listTrash(request, scope);
      return { entries, cursor };
    },
  };
}

function checkedPath(path: string): string {
  if (!path.startsWith("/"))
    throw new HoldfastError("invalidArgument", "A path begins with '/'. Nothing was looked up.");
  if (path.length > pathBytesMax)
    throw new HoldfastError("invalidArgument", "The path is too long. Nothing was looked up.");
  if (path.includes("\0"))
    throw new HoldfastError("invalidArgument", "A path has no NUL character. Nothing was looked up.");
  return path;
}
