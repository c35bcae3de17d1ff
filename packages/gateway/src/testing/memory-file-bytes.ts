import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { concatBytes, HoldfastError } from "@holdfast/base";
import { WrittenChunkSchema, type GetFileLayoutResponse, type WrittenChunk } from "@holdfast/proto/master/v1/master";
import type { ByteRange, FileBytes, RequestScope, WrittenBytes } from "../drive/ports.ts";

/** Chunks in memory, for tests. */
export class MemoryFileBytes implements FileBytes {
  readonly chunks = new Map<bigint, Uint8Array>();
  readonly chunkSizeBytes: number;
  /** Writes that ended without all their bytes. */
  brokenWriteCount = 0;
  /** Called before each chunk is taken; a test may hold it up. */
  beforeChunk: () => Promise<void> = async () => undefined;
  #lastChunkId = 0n;

  constructor(chunkSizeBytes = 64 * 1024) {
    this.chunkSizeBytes = chunkSizeBytes;
  }

  async write(source: AsyncIterable<Uint8Array>, scope: RequestScope): Promise<WrittenBytes> {
    const whole = createHash("sha256");
    const chunks: WrittenChunk[] = [];
    let sizeBytes = 0;
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    const flush = async (): Promise<void> => {
      await this.beforeChunk();
      requireLive(scope);
      const all = concatBytes(held);
      const bytes = all.subarray(0, this.chunkSizeBytes);
      held = all.length > bytes.length ? [all.subarray(bytes.length)] : [];
      heldBytes = all.length - bytes.length;
      chunks.push(this.#store(bytes));
    };
    try {
      for await (const bytes of source) {
        requireLive(scope);
        const copy = Uint8Array.from(bytes);
        whole.update(copy);
        sizeBytes += copy.length;
        held.push(copy);
        heldBytes += copy.length;
        while (heldBytes >= this.chunkSizeBytes) await flush();
      }
      if (heldBytes > 0) await flush();
    } catch (thrown) {
      this.brokenWriteCount++;
      throw thrown;
    }
    return { chunks, sizeBytes, sha256: new Uint8Array(whole.digest()) };
  }

  async *read(layout: GetFileLayoutResponse, range: ByteRange, scope: RequestScope): AsyncGenerator<Uint8Array> {
    let startBytes = 0;
    for (const { chunkId } of layout.chunks) {
      requireLive(scope);
      const chunk = this.chunks.get(chunkId);
      if (chunk === undefined)
        throw new HoldfastError("dataLoss", "A part of the file cannot be read now. Nothing was changed.");
      const from = Math.max(0, range.offsetBytes - startBytes);
      const to = Math.min(chunk.length, range.offsetBytes + range.lengthBytes - startBytes);
      if (from < to) yield chunk.subarray(from, to);
      startBytes += chunk.length;
    }
  }

  #store(bytes: Uint8Array): WrittenChunk {
    const chunkId = ++this.#lastChunkId;
    this.chunks.set(chunkId, Uint8Array.from(bytes));
    const sha256 = new Uint8Array(createHash("sha256").update(bytes).digest());
    return create(WrittenChunkSchema, {
      chunkId,
      generation: 1,
      lengthBytes: bytes.length,
      sha256,
      nodeIds: [1, 2, 3],
      confirmedNodeIds: [1, 2, 3],
    });
  }
}

function requireLive(scope: RequestScope): void {
  if (scope.signal.aborted) throw new HoldfastError("cancelled", "The caller gave up.");
}
