import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import type { WrittenChunk } from "@holdfast/proto/master/v1/master";
import type { ChunkWriter } from "./chunk-writer.ts";
import type { ClusterFactsSource } from "./cluster-facts.ts";
import { assertWanted } from "./request-scope.ts";
import type { RequestScope } from "./request-scope.ts";

/** Chunks of one file that are on their way at once. */
const chunksInFlightMax = 4;
/** A first buffer for a source that may be short; grows to a full chunk when it is not. */
const firstBufferBytes = 64 * 1024;

/** What became of bytes that were written. */
export interface WrittenBytes {
  /** In order; each has its minimum of durable copies. */
  readonly chunks: readonly WrittenChunk[];
  readonly sizeBytes: number;
  /** Of all bytes. */
  readonly sha256: Uint8Array;
}

/** What a file writer works with. */
export interface FileWriterOptions {
  readonly chunks: ChunkWriter;
  readonly facts: ClusterFactsSource;
}

/**
 * Writes a stream as chunks. Memory is bounded by the chunks in flight and the one being filled; the source is read no
 * faster than chunks are taken. Nothing becomes visible by it. Errors: those of the source, of `ChunkWriter`, cancelled.
 */
export async function writeBytes(
  options: FileWriterOptions,
  source: AsyncIterable<Uint8Array>,
  scope: RequestScope,
): Promise<WrittenBytes> {
  assertWanted(scope);
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  scope.signal.addEventListener("abort", onAbort, { once: true });
  const upload = new Upload(options, { requestId: scope.requestId, signal: stop.signal });
  try {
    return await upload.run(source);
  } catch (error) {
    stop.abort();
    await upload.settled();
    assertWanted(scope);
    throw error;
  } finally {
    scope.signal.removeEventListener("abort", onAbort);
  }
}

class Upload {
  readonly #options: FileWriterOptions;
  readonly #scope: RequestScope;
  readonly #written: Promise<WrittenChunk>[] = [];
  readonly #inFlight = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;
  readonly #wholeHash: Hash = createHash("sha256");
  #sizeBytes = 0;

  constructor(options: FileWriterOptions, scope: RequestScope) {
    this.#options = options;
    this.#scope = scope;
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<WrittenBytes> {
    const { chunkSizeBytes } = await this.#options.facts.get();
    for await (const bytes of cutIntoChunks(source, chunkSizeBytes)) {
      this.#assertGoing();
      this.#startChunk(bytes);
      while (this.#inFlight.size >= chunksInFlightMax) await Promise.race(this.#inFlight);
    }
    this.#assertGoing();
    const chunks = await Promise.all(this.#written);
    return { chunks, sizeBytes: this.#sizeBytes, sha256: this.#wholeHash.digest() };
  }

  /** Settles when no chunk is on its way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#written);
  }

  #assertGoing(): void {
    assertWanted(this.#scope);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #startChunk(bytes: Uint8Array): void {
    this.#wholeHash.update(bytes);
    // What begins with the first chunk needs no second look at it: its hash is where the whole one stands.
    const isFirst = this.#written.length === 0;
    const sha256 = (isFirst ? this.#wholeHash.copy() : createHash("sha256").update(bytes)).digest();
    this.#sizeBytes += bytes.length;
    const written = this.#writeChunk({ bytes, sha256 });
    this.#written.push(written);
    const over = written.then(
      () => void this.#inFlight.delete(over),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#inFlight.delete(over);
      },
    );
    this.#inFlight.add(over);
  }

  async #writeChunk(content: { readonly bytes: Uint8Array; readonly sha256: Uint8Array }): Promise<WrittenChunk> {
    return this.#options.chunks.write(content, await this.#options.facts.get(), this.#scope);
  }
}

/** Copies a stream of pieces of any size into buffers of one chunk each; the last may be shorter. */
async function* cutIntoChunks(source: AsyncIterable<Uint8Array>, chunkSizeBytes: number): AsyncGenerator<Uint8Array> {
  let buffer: Uint8Array = Buffer.allocUnsafeSlow(Math.min(firstBufferBytes, chunkSizeBytes));
  let filledBytes = 0;
  for await (const piece of source) {
    for (let offset = 0; offset < piece.length;) {
      if (filledBytes === buffer.length) buffer = grown(buffer, chunkSizeBytes);
      const end = Math.min(piece.length, offset + buffer.length - filledBytes);
      buffer.set(piece.subarray(offset, end), filledBytes);
      filledBytes += end - offset;
      offset = end;
      if (filledBytes < chunkSizeBytes) continue;
      yield buffer;
      // The chunk's writer has it now; the next buffer is made when there is something to put in.
      buffer = new Uint8Array(0);
      filledBytes = 0;
    }
  }
  if (filledBytes > 0) yield buffer.subarray(0, filledBytes);
}

function grown(buffer: Uint8Array, chunkSizeBytes: number): Uint8Array {
  const sizeBytes = buffer.length === 0 ? chunkSizeBytes : Math.min(chunkSizeBytes, buffer.length * 8);
  const larger = Buffer.allocUnsafeSlow(sizeBytes);
  larger.set(buffer);
  return larger;
}
