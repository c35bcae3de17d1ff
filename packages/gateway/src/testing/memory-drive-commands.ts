import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import {
  ChunkLayoutSchema,
  type CommitUpload,
  type MoveEntry,
  type StartUpload,
  type StoreUploadPart,
  type WrittenChunk,
} from "@holdfast/proto/master/v1/master";
import { EntryKind, type Entry } from "@holdfast/proto/model/v1/model";
import type { CommandCase } from "../drive/ports.ts";
import type { MemoryEffect, MemoryMasters } from "./memory-masters.ts";

/** An upload in progress. */
export interface MemoryUpload {
  readonly start: StartUpload;
  readonly parts: Map<number, StoreUploadPart>;
}

/** The commands about files, folders and uploads. */
export function applyDriveCommand(masters: MemoryMasters, command: CommandCase, index: bigint): MemoryEffect {
  const { namespace } = masters;
  switch (command.case) {
    case "createFolder": {
      const { userId, parentId, name, keepExisting } = command.value;
      const existing = namespace
        .childrenOf(parentId)
        .find((child) => child.name === name && child.kind === EntryKind.FOLDER);
      if (keepExisting && existing !== undefined) return { outcome: { entryId: existing.entryId } };
      const entry = namespace.put(index, {
        userId,
        parentId,
        name,
        kind: EntryKind.FOLDER,
        conflict: ConflictPolicy.FAIL,
      });
      return { outcome: { entryId: entry.entryId }, changes: [namespace.changed(entry)] };
    }
    case "commitFile": {
      const { chunks, inlineContent, sizeBytes, sha256 } = command.value;
      return storeFile(
        masters,
        { ...command.value, kind: EntryKind.FILE },
        { index, chunks, inline: inlineContent, sizeBytes, sha256 },
      );
    }
    case "moveEntry":
      return moveEntry(masters, command.value, index);
    case "trashEntry": {
      const entry = namespace.entryOf(command.value.userId, command.value.entryId);
      if (command.value.onlyIfEmpty && namespace.childrenOf(entry.entryId).length > 0)
        throw new HoldfastError("notEmpty", "The folder is not empty.");
      Object.assign(entry, { trashedAtMs: 1n, originParentId: entry.parentId, revision: index });
      return { outcome: { entryId: entry.entryId }, changes: [namespace.gone(entry)] };
    }
    case "restoreEntry": {
      const entry = namespace.entryOf(command.value.userId, command.value.entryId);
      Object.assign(entry, { trashedAtMs: 0n, revision: index });
      return { outcome: { entryId: entry.entryId, name: entry.name }, changes: [namespace.changed(entry)] };
    }
    case "purgeEntry": {
      const entry = namespace.entryOf(command.value.userId, command.value.entryId);
      namespace.entries.delete(entry.entryId);
      return { changes: [namespace.gone(entry)] };
    }
    case "startUpload":
      namespace.entryOf(command.value.userId, command.value.parentId);
      masters.uploads.set(command.value.uploadId, { start: command.value, parts: new Map() });
      return {};
    case "storeUploadPart":
      masters.uploadOf(command.value.userId, command.value.uploadId).parts.set(command.value.part, command.value);
      return {};
    case "commitUpload":
      return commitUpload(masters, command.value, index);
    case "abortUpload":
      masters.uploads.delete(command.value.uploadId);
      return {};
    default:
      throw new HoldfastError("invalidArgument", `The memory masters do not know ${command.case}.`);
  }
}

function commitUpload(masters: MemoryMasters, commit: CommitUpload, index: bigint): MemoryEffect {
  const { start, parts } = masters.uploadOf(commit.userId, commit.uploadId);
  const inOrder = [...parts.values()].sort((left, right) => left.part - right.part);
  const sizeBytes = inOrder.reduce((total, part) => total + BigInt(part.lengthBytes), 0n);
  if (inOrder.some((part, at) => part.part !== at))
    throw new HoldfastError("precondition", "Parts of the upload are missing.");
  if (sizeBytes !== commit.sizeBytes)
    throw new HoldfastError("invalidArgument", "The parts do not add up to the size.");
  const chunks = inOrder.flatMap((part) => part.chunks);
  const effect = storeFile(
    masters,
    { ...start, kind: EntryKind.FILE },
    { index, chunks, inline: new Uint8Array(), sizeBytes, sha256: commit.sha256 },
  );
  masters.uploads.delete(commit.uploadId);
  return effect;
}

function storeFile(
  masters: MemoryMasters,
  wish: Parameters<MemoryMasters["namespace"]["put"]>[1],
  content: {
    readonly index: bigint;
    readonly chunks: readonly WrittenChunk[];
    readonly inline: Uint8Array;
    readonly sizeBytes: bigint;
    readonly sha256: Uint8Array;
  },
): MemoryEffect {
  const { namespace } = masters;
  const entry = namespace.put(content.index, wish);
  const versionId = namespace.newId();
  const layout = content.chunks.map(({ chunkId, generation, lengthBytes, sha256 }) =>
    create(ChunkLayoutSchema, { chunkId, generation, lengthBytes, sha256 }),
  );
  namespace.contents.set(versionId, { chunks: layout, inline: content.inline });
  Object.assign(entry, { versionId, sizeBytes: content.sizeBytes, sha256: content.sha256 });
  return { outcome: { entryId: entry.entryId, versionId, name: entry.name }, changes: [namespace.changed(entry)] };
}

function moveEntry(masters: MemoryMasters, move: MoveEntry, index: bigint): MemoryEffect {
  const { namespace } = masters;
  const entry = namespace.entryOf(move.userId, move.entryId);
  if (move.ifRevision !== 0n && move.ifRevision !== entry.revision)
    throw new HoldfastError("versionConflict", "The entry changed meanwhile.");
  const parentId = move.targetParentId === 0n ? entry.parentId : move.targetParentId;
  const parent = namespace.entryOf(move.userId, parentId);
  if ([parent, ...namespace.ancestorsOf(parent)].some((above: Entry) => above.entryId === entry.entryId)) {
    throw new HoldfastError("wouldCycle", "A folder cannot be moved into itself.");
  }
  const name = move.targetName === "" ? entry.name : move.targetName;
  const taken = namespace.childrenOf(parentId).find((child) => child.name === name && child !== entry);
  if (taken !== undefined) throw new HoldfastError("nameTaken", "There is already an entry of that name.");
  Object.assign(entry, { parentId, name, revision: index });
  return { outcome: { entryId: entry.entryId, name }, changes: [namespace.changed(entry)] };
}
