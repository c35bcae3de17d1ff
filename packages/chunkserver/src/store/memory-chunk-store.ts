import { createHash, hash } from "node:crypto";
import { concatBytes, equalBytes, HoldfastError, must } from "@holdfast/base";
import { ChunkIndex } from "./chunk-index.ts";
import { chunkFileName } from "./chunk-paths.ts";
import { checkNewChunk, checkRange } from "./chunk-requests.ts";
import type {
  ChunkFacts,
  ChunkKey,
  ChunkRange,
  ChunkStore,
  ChunkWrite,
  DiskState,
  HeldChunk,
  InventoryListener,
  StoreStatus,
} from "./chunk-store.ts";
import { differentBytes, tooFewBytes, tooManyBytes } from "./file-chunk-write.ts";
import { storedWithOtherBytes } from "./hash-only-write.ts";
import { pieceBytesMax } from "./verified-reader.ts";

interface MemoryCopy {
  readonly chunk: HeldChunk;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/** A store in memory for tests: the contract of `ChunkStore` without a disk. */
export class MemoryChunkStore implements ChunkStore {
  /** Set it to act as a full or failed disk. */
  diskState: DiskState = "ok";
  readonly #copies = new Map<string, MemoryCopy>();
  readonly #index = new ChunkIndex();
  readonly #listener: InventoryListener;
  readonly #capacityBytes: number;
  #activeWriteCount = 0;

  constructor(listener: InventoryListener, capacityBytes = 1024 ** 3) {
    this.#listener = listener;
    this.#capacityBytes = capacityBytes;
  }

  async beginWrite(chunk: HeldChunk): Promise<ChunkWrite> {
    checkNewChunk(chunk);
    if (this.diskState === "failed") throw new HoldfastError("diskFailed", "the disk failed");
    const isOver = this.#index.usedBytes + chunk.lengthBytes > 0.95 * this.#capacityBytes;
    if (this.diskState === "full" || isOver) throw new HoldfastError("noSpace", "the disk is full");
    const held = this.#index.lengthOf(chunk);
    if (held !== undefined && held !== chunk.lengthBytes) throw storedWithOtherBytes(chunk);
    this.#activeWriteCount++;
    return this.#openWrite(chunk);
  }

  async *read(range: ChunkRange): AsyncGenerator<Uint8Array, void, undefined> {
    const copy = this.#copies.get(chunkFileName(range));
    if (copy === undefined) throw new HoldfastError("notFound", `no copy of chunk ${range.chunkId}`);
    const { startBytes, endBytes } = checkRange(range, copy.bytes.length);
    if (!this.#isWhole(copy)) throw new HoldfastError("dataLoss", `the copy of chunk ${range.chunkId} is damaged`);
    for (let offset = startBytes; offset < endBytes; offset += pieceBytesMax) {
      yield copy.bytes.subarray(offset, Math.min(offset + pieceBytesMax, endBytes));
    }
  }

  async facts(key: ChunkKey): Promise<ChunkFacts | undefined> {
    const copy = this.#copies.get(chunkFileName(key));
    return copy === undefined ? undefined : { ...copy.chunk, sha256: copy.sha256 };
  }

  has(key: ChunkKey): boolean {
    return this.#copies.has(chunkFileName(key));
  }

  async verify(key: ChunkKey): Promise<boolean> {
    const copy = this.#copies.get(chunkFileName(key));
    return copy === undefined || this.#isWhole(copy);
  }

  async trim(key: ChunkKey): Promise<void> {
    const copy = this.#copies.get(chunkFileName(key));
    this.#copies.delete(chunkFileName(key));
    this.#index.remove(key);
    this.#listener.trimmed(copy?.chunk ?? { ...key, lengthBytes: 0 });
  }

  bucketDigests(): readonly number[] {
    return this.#index.digests();
  }

  listBucket(bucket: number): readonly HeldChunk[] {
    return this.#index.listBucket(bucket);
  }

  status(): StoreStatus {
    return {
      chunkCount: this.#index.count,
      usedBytes: this.#index.usedBytes,
      capacityBytes: this.#capacityBytes,
      freeBytes: this.#capacityBytes - this.#index.usedBytes,
      diskState: this.diskState,
      activeWriteCount: this.#activeWriteCount,
      activeReadCount: 0,
      disks: [
        {
          path: "/memory",
          state: this.diskState,
          capacityBytes: this.#capacityBytes,
          usedBytes: this.#index.usedBytes,
        },
      ],
    };
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  /** Damages one bit of a copy. */
  damage(key: ChunkKey, offsetBytes: number): void {
    const copy = must(this.#copies.get(chunkFileName(key)), "a copy that is damaged is there");
    copy.bytes[offsetBytes] = (copy.bytes[offsetBytes] ?? 0) ^ 1;
  }

  #isWhole(copy: MemoryCopy): boolean {
    if (equalBytes(hash("sha256", copy.bytes, "buffer"), copy.sha256)) return true;
    this.#copies.delete(chunkFileName(copy.chunk));
    this.#index.remove(copy.chunk);
    this.#listener.corrupt(copy.chunk);
    return false;
  }

  #openWrite(chunk: HeldChunk): ChunkWrite {
    const parts: Uint8Array[] = [];
    let receivedBytes = 0;
    let isOpen = true;
    const end = (): void => {
      if (isOpen) this.#activeWriteCount--;
      isOpen = false;
    };
    const assertOpen = (): void => {
      if (!isOpen) throw new HoldfastError("cancelled", "the write was given up");
    };
    return {
      append: async (bytes) => {
        assertOpen();
        receivedBytes += bytes.length;
        if (receivedBytes > chunk.lengthBytes) throw tooManyBytes(chunk);
        parts.push(bytes);
      },
      commit: async (sha256) => {
        assertOpen();
        end();
        if (receivedBytes !== chunk.lengthBytes) throw tooFewBytes(chunk, receivedBytes);
        const bytes = concatBytes(parts);
        const digest = new Uint8Array(createHash("sha256").update(bytes).digest());
        if (!equalBytes(digest, sha256)) throw differentBytes(chunk);
        this.#store({ chunk, bytes, sha256: digest });
      },
      abort: async () => end(),
    };
  }

  #store(copy: MemoryCopy): void {
    const name = chunkFileName(copy.chunk);
    const stored = this.#copies.get(name);
    if (stored !== undefined) {
      if (!equalBytes(stored.sha256, copy.sha256)) throw storedWithOtherBytes(copy.chunk);
      return;
    }
    this.#copies.set(name, copy);
    this.#index.add(copy.chunk);
    this.#listener.added(copy.chunk);
  }
}
