import { create } from "@bufbuild/protobuf";
import type { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { Entry } from "@holdfast/proto/model/v1/model";
import {
  CreateFolderSchema,
  MoveEntrySchema,
  PurgeEntrySchema,
  RestoreEntrySchema,
  TrashEntrySchema,
} from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "./actor.ts";
import { entryAfter } from "./entry-after.ts";
import { requireName } from "./name.ts";
import type { Caller, Masters, RequestScope } from "./ports.ts";

/** A move, a rename, or both. */
export interface MoveRequest {
  readonly entryId: bigint;
  /** 0 = stay. */
  readonly targetParentId: bigint;
  /** Empty = keep. */
  readonly targetName: string;
  /** 0 = any. */
  readonly ifRevision: bigint;
  readonly conflict: ConflictPolicy;
}

/** Changing names and places. Each is idempotent by the scope's request id; each answers when it is committed. */
export interface Change {
  /** Errors: nameTaken, notFound, invalidArgument. */
  createFolder(
    caller: Caller,
    folder: { readonly parentId: bigint; readonly name: string; readonly keepExisting: boolean },
    scope: RequestScope,
  ): Promise<Entry>;
  /** Errors: notFound, nameTaken, wouldCycle, versionConflict, invalidArgument. */
  moveEntry(caller: Caller, move: MoveRequest, scope: RequestScope): Promise<Entry>;
  /** Errors: notFound, notEmpty, invalidArgument (a root). */
  trashEntry(
    caller: Caller,
    entry: { readonly entryId: bigint; readonly onlyIfEmpty: boolean },
    scope: RequestScope,
  ): Promise<void>;
  /** Errors: notFound, nameTaken. */
  restoreEntry(caller: Caller, entryId: bigint, scope: RequestScope): Promise<Entry>;
  /** Errors: notFound, invalidArgument (a root). */
  purgeEntry(caller: Caller, entryId: bigint, scope: RequestScope): Promise<void>;
}

/** The changing use-cases over the masters' commands. */
export function createChange(masters: Masters): Change {
  return {
    async createFolder(caller, folder, scope) {
      requireName(folder.name);
      const parentId = folder.parentId === 0n ? caller.rootEntryId : folder.parentId;
      const value = create(CreateFolderSchema, { ...folder, parentId, userId: caller.userId });
      const done = await masters.execute({ case: "createFolder", value }, onBehalfOf(caller, scope));
      return entryAfter(masters, { caller, entryId: done.outcome?.entryId ?? 0n, done }, scope);
    },

    async moveEntry(caller, move, scope) {
      if (move.targetName !== "") requireName(move.targetName);
      const value = create(MoveEntrySchema, { ...move, userId: caller.userId });
      const done = await masters.execute({ case: "moveEntry", value }, onBehalfOf(caller, scope));
      return entryAfter(masters, { caller, entryId: move.entryId, done }, scope);
    },

    async trashEntry(caller, { entryId, onlyIfEmpty }, scope) {
      const value = create(TrashEntrySchema, { entryId, onlyIfEmpty, userId: caller.userId });
      await masters.execute({ case: "trashEntry", value }, onBehalfOf(caller, scope));
    },

    async restoreEntry(caller, entryId, scope) {
      const value = create(RestoreEntrySchema, { entryId, userId: caller.userId });
      const done = await masters.execute({ case: "restoreEntry", value }, onBehalfOf(caller, scope));
      return entryAfter(masters, { caller, entryId, done }, scope);
    },

    async purgeEntry(caller, entryId, scope) {
      const value = create(PurgeEntrySchema, { entryId, userId: caller.userId });
      await masters.execute({ case: "purgeEntry", value }, onBehalfOf(caller, scope));
    },
  };
}
