import { idPart, textPart } from "../codec/key-codec.ts";
import { blob, flag, listOf, record, text, uint } from "../codec/value-codec.ts";
import { orderedFamily, type OrderedSet } from "../ordered-index.ts";
import { defineTable } from "../tables.ts";

/** `holdfast.model.v1.EntryKind` by number. */
export const entryKind = { folder: 1, file: 2 } as const;

/** A file or folder, wherever it is. See `holdfast.model.v1.Entry`. */
export interface EntryRecord {
  /** 0 for a root, for what lies in the trash, and for what is being purged. */
  readonly parentId: number;
  readonly name: string;
  readonly kind: number;
  readonly ownerId: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  /** The current version; 0 for a folder and for a file before its first version. */
  readonly versionId: number;
  /** Log index of the last change. */
  readonly revision: number;
  readonly childCount: number;
  /** 0 when it is not itself in the trash (a folder above may be). */
  readonly trashedAtMs: number;
  readonly originParentId: number;
  /** Versions kept, the current one included; they form a chain from the oldest by `newerVersionId`. */
  readonly versionCount: number;
  readonly oldestVersionId: number;
  /** A folder that is gone for its owner while its children are purged in steps. */
  readonly isPurged: boolean;
}

/** Files and folders; key: entry id. */
export const entryTable = defineTable({
  name: "entry",
  tag: 0x07,
  keyParts: [idPart],
  value: record<EntryRecord>({
    parentId: uint,
    name: text,
    kind: uint,
    ownerId: uint,
    createdAtMs: uint,
    modifiedAtMs: uint,
    sizeBytes: uint,
    sha256: blob,
    versionId: uint,
    revision: uint,
    childCount: uint,
    trashedAtMs: uint,
    originParentId: uint,
    versionCount: uint,
    oldestVersionId: uint,
    isPurged: flag,
  }),
});

/** Key: parent, name. A name is there once. */
export const childTable = defineTable({
  name: "child",
  tag: 0x08,
  keyParts: [idPart, textPart],
  value: record<{ readonly entryId: number }>({ entryId: uint }),
});

/** Content of a file at one time. */
export interface VersionRecord {
  readonly entryId: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly chunkIds: readonly number[];
  readonly inlineContent: Uint8Array;
  readonly createdAtMs: number;
  /** 0 for the current one. */
  readonly newerVersionId: number;
}

/** Versions of files; key: version id. */
export const versionTable = defineTable({
  name: "version",
  tag: 0x09,
  keyParts: [idPart],
  value: record<VersionRecord>({
    entryId: uint,
    sizeBytes: uint,
    sha256: blob,
    chunkIds: listOf(uint),
    inlineContent: blob,
    createdAtMs: uint,
    newerVersionId: uint,
  }),
});

/** Children of a folder in reading order; keys by `childSortKey`. */
export function childrenSet(folderId: number): OrderedSet {
  return { family: orderedFamily.children, group: folderId };
}

/** An owner's trash, newest first; keys by `trashKey`. */
export function trashSet(ownerId: number): OrderedSet {
  return { family: orderedFamily.trash, group: ownerId };
}

/** Purged folders that still have children; keys by `purgingKey`. */
export const purgingSet: OrderedSet = { family: orderedFamily.purging, group: 0 };
