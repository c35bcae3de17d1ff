/** Names one copy: a chunk and its generation. */
export interface ChunkKey {
  readonly chunkId: number;
  readonly generation: number;
}

/** A copy as the inventory knows it. */
export interface HeldChunk extends ChunkKey {
  readonly lengthBytes: number;
}

/** Bytes of a copy. `lengthBytes` undefined = to the end. */
export interface ChunkRange extends ChunkKey {
  readonly offsetBytes: number;
  readonly lengthBytes: number | undefined;
}

/** What a copy's own footer says. */
export interface ChunkFacts extends HeldChunk {
  readonly sha256: Uint8Array;
}

/** "full": no new chunks until there is room. "failed": a sync failed; no new chunks until a person replaced the disk. */
export type DiskState = "ok" | "full" | "failed";

/** One of the disks under a store. */
export interface DiskStatus {
  /** The data directory on it. */
  readonly path: string;
  readonly state: DiskState;
  readonly capacityBytes: number;
  readonly usedBytes: number;
}

/** Room and state of the disks under a store. */
export interface StoreStatus {
  readonly chunkCount: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly freeBytes: number;
  readonly diskState: DiskState;
  readonly activeWriteCount: number;
  readonly activeReadCount: number;
  readonly disks: readonly DiskStatus[];
}

/** What becomes of copies, told as it happens and only after it is durable. */
export interface InventoryListener {
  added(chunk: HeldChunk): void;
  trimmed(chunk: HeldChunk): void;
  corrupt(chunk: HeldChunk): void;
}

/**
 * A write in progress. Frames are appended in order; `commit` or `abort` ends it, and one of them must be called.
 * After an error only `abort` is of use.
 */
export interface ChunkWrite {
  /**
   * Takes the next bytes, which must not change until the write ends. The promise settles when the writer may go on
   * (back-pressure), not when the bytes are on disk.
   * Errors: tooLarge (more than announced), noSpace, diskFailed, cancelled (store closed).
   */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Verifies, makes durable and publishes. Settles when the copy would survive a power cut.
   * Errors: invalidArgument (fewer bytes than announced), checksumMismatch (bytes differ from `sha256`, or the chunk is
   * already stored with other bytes), noSpace, diskFailed.
   */
  commit(sha256: Uint8Array): Promise<void>;
  /** Gives up; nothing stays. Idempotent, and without effect after `commit` succeeded. */
  abort(): Promise<void>;
}

/**
 * A node's copies, as a port. Copies are immutable; the same copy written again with the same bytes is a success.
 * Nothing removes a copy but `trim`, which the caller may only call for a committed TrimOrdered event; a damaged copy is
 * moved aside, never deleted.
 */
export interface ChunkStore {
  /**
   * Admits a write.
   * Errors: invalidArgument (length 0 or over the maximum), noSpace (95 % full), diskFailed, tooBusy (too many writes).
   */
  beginWrite(chunk: HeldChunk): Promise<ChunkWrite>;
  /**
   * Bytes of a range in order, in pieces of at most 512 KiB; each 64 KiB block that is touched was verified before its
   * piece is yielded. Errors: notFound, invalidArgument (range), dataLoss (the copy is damaged; it was moved aside),
   * tooBusy.
   */
  read(range: ChunkRange): AsyncIterable<Uint8Array>;
  /** The copy's facts from its verified footer, or undefined. Errors: dataLoss. */
  facts(key: ChunkKey): Promise<ChunkFacts | undefined>;
  /** Whether the copy is in the inventory, from memory. */
  has(key: ChunkKey): boolean;
  /** Re-reads a whole copy. False: it was damaged and moved aside. A copy that is gone is fine. */
  verify(key: ChunkKey): Promise<boolean>;
  /** Moves a copy to the trash, durably; true also when there is none. `term` goes into its name. Errors: diskFailed. */
  trim(key: ChunkKey, term: number): Promise<void>;
  /** Digests of all 256 buckets in their order, from memory (docs/formats/chunk-file.md). */
  bucketDigests(): readonly number[];
  /** All copies of a bucket, in no promised order. */
  listBucket(bucket: number): readonly HeldChunk[];
  status(): StoreStatus;
  /** Aborts writes in progress and waits for what is on its way to disk. Idempotent. */
  close(): Promise<void>;
}

/** Bytes of a chunk at most. */
export const chunkLengthBytesMax = 64 * 1024 * 1024;
