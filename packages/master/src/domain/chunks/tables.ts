import { idPart, textPart, uint32Part, uint8Part } from "../codec/key-codec.ts";
import { blob, listOf, record, text, uint } from "../codec/value-codec.ts";
import { defineTable } from "../tables.ts";

/**
 * A chunk that was placed. Copies that count are `confirmedNodeIds` on nodes that are not down; where copies should be
 * is `placedNodeIds`. A chunk that nobody holds is garbage and goes as soon as every copy was trimmed.
 */
export interface ChunkRow {
  readonly generation: number;
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
  /** Ascending. */
  readonly placedNodeIds: readonly number[];
  /** Ascending. */
  readonly confirmedNodeIds: readonly number[];
  /** Nodes whose copy was found damaged and not replaced; ascending. */
  readonly corruptNodeIds: readonly number[];
  /** The upload that needs it, or empty. */
  readonly holderUploadId: string;
  /** The file that needs it, or 0. */
  readonly holderEntryId: number;
  /** The version of that file. */
  readonly holderVersionId: number;
}

/** Whether somebody needs the chunk; otherwise it is garbage. */
export function isHeld(row: ChunkRow): boolean {
  return row.holderUploadId !== "" || row.holderEntryId !== 0;
}

/** Chunks by id. */
export const chunkTable = defineTable({
  name: "chunk",
  tag: 0x20,
  keyParts: [idPart],
  value: record<ChunkRow>({
    generation: uint,
    lengthBytes: uint,
    sha256: blob,
    placedNodeIds: listOf(uint),
    confirmedNodeIds: listOf(uint),
    corruptNodeIds: listOf(uint),
    holderUploadId: text,
    holderEntryId: uint,
    holderVersionId: uint,
  }),
});

/** A chunk id that a gateway may still use. */
export interface GrantedRow {
  readonly grantId: number;
  readonly nodeIds: readonly number[];
  /** Leader time after which it may not be committed. */
  readonly expiresAtMs: number;
}

/** Granted and not yet placed chunks by id. */
export const grantedTable = defineTable({
  name: "granted",
  tag: 0x21,
  keyParts: [idPart],
  value: record<GrantedRow>({ grantId: uint, nodeIds: listOf(uint), expiresAtMs: uint }),
});

/** The same by end of life: [expiresAtMs, chunk id]. */
export const grantExpiryTable = defineTable({
  name: "grantExpiry",
  tag: 0x22,
  keyParts: [idPart, idPart],
  value: record<object>({}),
});

/**
 * Chunks counted by the exact set of nodes that hold a confirmed copy ("1,2,3", ascending; "" = none). Health of the
 * whole cluster follows from these few rows and the nodes' states, however many chunks there are.
 */
export interface CopySetRow {
  /** All chunks with this set, garbage too. */
  readonly chunkCount: number;
  /** Those that an upload or a version holds. */
  readonly heldCount: number;
  /** Bytes of those, counted once a chunk. */
  readonly heldBytes: number;
}

/** Copy sets by their key. */
export const copySetTable = defineTable({
  name: "copySet",
  tag: 0x23,
  keyParts: [textPart],
  value: record<CopySetRow>({ chunkCount: uint, heldCount: uint, heldBytes: uint }),
});

/** What a listing of a copy set needs to know of a chunk. */
export interface CopySetChunkRow {
  readonly generation: number;
  readonly lengthBytes: number;
}

/** Chunks of a copy set in buckets: [set, chunk id mod 256, chunk id]. Node -> chunks is the union of the sets it is in. */
export const copySetChunkTable = defineTable({
  name: "copySetChunk",
  tag: 0x24,
  keyParts: [textPart, uint8Part, idPart],
  value: record<CopySetChunkRow>({ generation: uint, lengthBytes: uint }),
});

/** What a node's inventory should amount to. */
export interface NodeBucketRow {
  /** See docs/formats/chunk-file.md, "Digest of the inventory". */
  readonly digest: number;
  readonly chunkCount: number;
}

/** Expected inventory: [node, bucket]. Empty buckets have no row. */
export const nodeBucketTable = defineTable({
  name: "nodeBucket",
  tag: 0x25,
  keyParts: [uint32Part, uint8Part],
  value: record<NodeBucketRow>({ digest: uint, chunkCount: uint }),
});

/** A copy that shall go. It stopped counting when it was ordered. */
export interface TrimRow {
  readonly generation: number;
  readonly term: number;
  readonly reason: string;
  readonly orderedAtMs: number;
}

/** Trim orders that were not carried out yet: [node, chunk id]. */
export const trimTable = defineTable({
  name: "trim",
  tag: 0x26,
  keyParts: [uint32Part, idPart],
  value: record<TrimRow>({ generation: uint, term: uint, reason: text, orderedAtMs: uint }),
});

/** Chunks that nobody holds and whose copies were not ordered away yet. */
export const garbageTable = defineTable({
  name: "garbage",
  tag: 0x27,
  keyParts: [idPart],
  value: record<{ readonly reason: string; readonly sinceMs: number }>({ reason: text, sinceMs: uint }),
});

/** Held chunks with a damaged copy that was not replaced. */
export const corruptTable = defineTable({
  name: "corrupt",
  tag: 0x28,
  keyParts: [idPart],
  value: record<object>({}),
});

/** A copy that is being moved for balance: what the target gets makes another one superfluous. */
export interface MoveRow {
  /** Where the copy goes. */
  readonly targetNodeId: number;
  /** Leader time at which it was placed. */
  readonly sinceMs: number;
}

/**
 * Moves under way by chunk: begun by a place for balance, over when a copy of the chunk is ordered away or lost. So a new
 * leader goes on with the moves of the one before.
 */
export const moveTable = defineTable({
  name: "move",
  tag: 0x29,
  keyParts: [idPart],
  value: record<MoveRow>({ targetNodeId: uint, sinceMs: uint }),
});

/** Counter of the rows of `corruptTable`. */
export const corruptCounter = "chunks:corrupt";

/** Buckets of an inventory. */
export const inventoryBucketCount = 256;

/** A copy set's key. `nodeIds` are ascending. */
export function copySetKey(nodeIds: readonly number[]): string {
  return nodeIds.join(",");
}

/** The nodes of a copy set's key. */
export function parseCopySetKey(key: string): readonly number[] {
  return key === "" ? [] : key.split(",").map(Number);
}
