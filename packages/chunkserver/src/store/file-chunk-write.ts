import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert, equalBytes, HoldfastError, isPlanted, must } from "@holdfast/base";
import type { Disk, DiskFile } from "@holdfast/runtime";
import { BlockChecksums } from "./block-checksums.ts";
import { chunkFileSizeBytes, encodeFooter } from "./chunk-file.ts";
import type { ChunkFacts, ChunkWrite, HeldChunk } from "./chunk-store.ts";
import type { DiskHealth } from "./disk-health.ts";
import type { Turnstile } from "./turnstile.ts";

/** Bytes gathered before a system call is worth it; a small chunk goes out in one. */
const flushBytesMin = 256 * 1024;
/** Bytes of one write that may wait for the disk before its sender is held back. */
const windowBytesMax = 2 * 1024 * 1024;

/** What a write needs of its store. */
export interface ChunkWriteHost {
  readonly disk: Disk;
  readonly health: DiskHealth;
  readonly syncs: Turnstile;
  /** Bytes of all writes that wait for the disk. */
  readonly buffered: { bytes: number; readonly bytesMax: number };
  readonly clusterId: string;
  readonly temporaryPath: string;
  /** Gives the durable file its name; settles when the name is durable too. */
  publish(facts: ChunkFacts, temporaryPath: string): Promise<void>;
  /** The write is over, in whatever way. Called once. */
  ended(): void;
}

/** A chunk on its way into a file. Frames go to disk while later ones arrive, one system call at a time. */
export class FileChunkWrite implements ChunkWrite {
  readonly #chunk: HeldChunk;
  readonly #host: ChunkWriteHost;
  readonly #sha256 = createHash("sha256");
  readonly #checksums = new BlockChecksums();
  #file: DiskFile | undefined;
  #queued: Uint8Array[] = [];
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #receivedBytes = 0;
  #writtenBytes = 0;
  #flushing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #state: "open" | "committing" | "committed" | "aborted" = "open";

  constructor(chunk: HeldChunk, host: ChunkWriteHost) {
    this.#chunk = chunk;
    this.#host = host;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#assertUsable();
    if (this.#receivedBytes + bytes.length > this.#chunk.lengthBytes) throw tooManyBytes(this.#chunk);
    this.#receivedBytes += bytes.length;
    this.#checksums.update(bytes);
    this.#sha256.update(bytes);
    this.#enqueue(bytes);
    if (this.#queuedBytes >= flushBytesMin) void this.#flush();
    const { buffered } = this.#host;
    if (this.#queuedBytes + this.#inFlightBytes > windowBytesMax || buffered.bytes > buffered.bytesMax) {
      await this.#flush();
      this.#assertUsable();
    }
  }

  async commit(sha256: Uint8Array): Promise<void> {
    this.#assertUsable();
    this.#state = "committing";
    try {
      await this.#commitVerified(sha256);
    } catch (error) {
      this.#state = "open";
      await this.abort();
      throw error;
    }
    this.#state = "committed";
    this.#host.ended();
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    this.#dropQueued();
    await this.#flushing;
    await this.#removeTemporary();
    this.#host.ended();
  }

  async #commitVerified(sha256: Uint8Array): Promise<void> {
    if (this.#receivedBytes !== this.#chunk.lengthBytes) throw tooFewBytes(this.#chunk, this.#receivedBytes);
    const facts = { ...this.#chunk, sha256: this.#sha256.digest() };
    if (!equalBytes(facts.sha256, sha256) && !isPlanted("unverifiedCopy")) throw differentBytes(this.#chunk);
    const table = this.#checksums.table();
    this.#enqueue(table);
    this.#enqueue(encodeFooter({ ...facts, clusterId: this.#host.clusterId, tableCrc: crc32(table) }));
    await this.#flush();
    if (this.#failure !== undefined) throw this.#failure.error;
    assert(
      this.#writtenBytes === chunkFileSizeBytes(this.#chunk.lengthBytes),
      "the whole file was written before its sync",
    );
    const file = await this.#sync();
    await Promise.all([this.#host.publish(facts, this.#host.temporaryPath), file.close()]);
  }

  async #removeTemporary(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await this.#file.close();
      await this.#host.disk.remove(this.#host.temporaryPath);
    } catch {
      // The write failed already and that was told; what stays under tmp/ is swept at the next start.
    }
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#state === "open") return;
    throw new HoldfastError("cancelled", "The write was given up; nothing of it stays.");
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queued.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#host.buffered.bytes += bytes.length;
  }

  #dropQueued(): void {
    this.#host.buffered.bytes -= this.#queuedBytes;
    this.#queued = [];
    this.#queuedBytes = 0;
  }

  /** Settles when all that was queued at the call is with the operating system, or a failure is noted. Never rejects. */
  #flush(): Promise<void> {
    if (this.#flushing !== undefined) return this.#flushing;
    if (this.#queued.length === 0) return Promise.resolve();
    this.#flushing = this.#writeQueued();
    return this.#flushing;
  }

  async #writeQueued(): Promise<void> {
    try {
      this.#file ??= await this.#host.disk.open(this.#host.temporaryPath, "create");
      while (this.#queued.length > 0) await this.#writeParts(this.#file);
    } catch (error) {
      this.#failure = { error: this.#host.health.noteFailure(error, "write") };
      this.#dropQueued();
    } finally {
      // In the same step as the last look at the queue: whoever queues more afterwards starts a new flush.
      this.#flushing = undefined;
    }
  }

  async #writeParts(file: DiskFile): Promise<void> {
    const parts = this.#queued;
    const partsBytes = this.#queuedBytes;
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#inFlightBytes = partsBytes;
    try {
      await file.writeParts(parts, this.#writtenBytes);
      this.#writtenBytes += partsBytes;
    } finally {
      this.#inFlightBytes = 0;
      this.#host.buffered.bytes -= partsBytes;
    }
  }

  async #sync(): Promise<DiskFile> {
    const file = must(this.#file, "a chunk has bytes, so its file is open");
    try {
      this.#host.health.assertWorking();
      if (!isPlanted("ackBeforeFsync")) await this.#host.syncs.run(() => file.syncData());
    } catch (error) {
      throw this.#host.health.noteFailure(error, "sync");
    }
    return file;
  }
}

/** More bytes than the header said. */
export function tooManyBytes(chunk: HeldChunk): HoldfastError {
  const message = `Chunk ${chunk.chunkId} was announced with ${chunk.lengthBytes} bytes and more came; nothing was kept.`;
  return new HoldfastError("tooLarge", message);
}

/** Fewer bytes than the header said. */
export function tooFewBytes(chunk: HeldChunk, receivedBytes: number): HoldfastError {
  const message = `Chunk ${chunk.chunkId} ended after ${receivedBytes} of ${chunk.lengthBytes} bytes; nothing was kept.`;
  return new HoldfastError("invalidArgument", message);
}

/** Other bytes than the trailer said. */
export function differentBytes(chunk: HeldChunk): HoldfastError {
  const message = `The bytes of chunk ${chunk.chunkId} do not match their SHA-256; nothing was kept. Send it again.`;
  return new HoldfastError("checksumMismatch", message);
}
