import { createHash } from "node:crypto";
import { equalBytes, HoldfastError } from "@holdfast/base";
import type { ChunkFacts, ChunkWrite, HeldChunk } from "./chunk-store.ts";
import { differentBytes, tooFewBytes, tooManyBytes } from "./file-chunk-write.ts";

/** What a repeated write needs of its store. */
export interface HashOnlyWriteHost {
  /** What is stored, or undefined when it is gone by now. */
  stored(): Promise<ChunkFacts | undefined>;
  /** The write is over. Called once. */
  ended(): void;
}

/** A write of a copy that is there already: nothing goes to disk, the bytes are only compared by their hash. */
export class HashOnlyWrite implements ChunkWrite {
  readonly #chunk: HeldChunk;
  readonly #host: HashOnlyWriteHost;
  readonly #sha256 = createHash("sha256");
  #receivedBytes = 0;
  #hasEnded = false;

  constructor(chunk: HeldChunk, host: HashOnlyWriteHost) {
    this.#chunk = chunk;
    this.#host = host;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#hasEnded) throw new HoldfastError("cancelled", "The write was given up.");
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#chunk.lengthBytes) throw tooManyBytes(this.#chunk);
    this.#sha256.update(bytes);
  }

  async commit(sha256: Uint8Array): Promise<void> {
    if (this.#hasEnded) throw new HoldfastError("cancelled", "The write was given up.");
    if (this.#receivedBytes !== this.#chunk.lengthBytes) throw tooFewBytes(this.#chunk, this.#receivedBytes);
    const received = this.#sha256.digest();
    if (!equalBytes(received, sha256)) throw differentBytes(this.#chunk);
    const stored = await this.#host.stored();
    if (stored === undefined) {
      throw new HoldfastError(
        "unavailable",
        `The stored copy of chunk ${this.#chunk.chunkId} just went. Send it again.`,
      );
    }
    if (!equalBytes(stored.sha256, received)) throw storedWithOtherBytes(this.#chunk);
    this.#end();
  }

  async abort(): Promise<void> {
    this.#end();
  }

  #end(): void {
    if (!this.#hasEnded) this.#host.ended();
    this.#hasEnded = true;
  }
}

/** The same chunk and generation is there with other bytes. */
export function storedWithOtherBytes(chunk: HeldChunk): HoldfastError {
  const message = `Chunk ${chunk.chunkId}.${chunk.generation} is already stored with other bytes; it was left as it is. Use a new chunk id.`;
  return new HoldfastError("checksumMismatch", message);
}
