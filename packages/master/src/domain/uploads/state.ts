import { fromHex, must } from "@holdfast/base";
import { textPart, uint32Part } from "../codec/key-codec.ts";
import { blob, listOf, record, text, uint } from "../codec/value-codec.ts";
import { orderedFamily, type OrderedSet } from "../ordered-index.ts";
import { defineTable } from "../tables.ts";
import { oldestFirstKey } from "../time-key.ts";

/** An upload in parts; nothing of it is visible. */
export interface UploadRecord {
  readonly ownerId: number;
  readonly parentId: number;
  readonly name: string;
  /** Announced; 0 when unknown. */
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly conflict: number;
  readonly expiresAtMs: number;
  /** Distinct parts that are durable. */
  readonly partCount: number;
  /** Highest stored part + 1. */
  readonly partLimit: number;
  /** Sum of the stored parts. */
  readonly storedBytes: number;
}

/** Key: upload id, 32 hex digits. */
export const uploadTable = defineTable({
  name: "upload",
  tag: 0x0e,
  keyParts: [textPart],
  value: record<UploadRecord>({
    ownerId: uint,
    parentId: uint,
    name: text,
    sizeBytes: uint,
    partSizeBytes: uint,
    conflict: uint,
    expiresAtMs: uint,
    partCount: uint,
    partLimit: uint,
    storedBytes: uint,
  }),
});

/** A durable part. */
export interface UploadPartRecord {
  readonly chunkIds: readonly number[];
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
}

/** Key: upload id, part (0-based). */
export const uploadPartTable = defineTable({
  name: "uploadPart",
  tag: 0x0f,
  keyParts: [textPart, uint32Part],
  value: record<UploadPartRecord>({ chunkIds: listOf(uint), lengthBytes: uint, sha256: blob }),
});

/** All uploads by their end; keys by `uploadExpiryKey`. */
export const uploadExpirySet: OrderedSet = { family: orderedFamily.uploadExpiry, group: 0 };

/** Time of expiry, then the id's 16 bytes. */
export function uploadExpiryKey(expiresAtMs: number, uploadId: string): Uint8Array {
  return oldestFirstKey(expiresAtMs, must(fromHex(uploadId), "an upload id is hex"));
}
