import { create } from "@bufbuild/protobuf";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import { GetFileLayoutRequestSchema } from "@holdfast/proto/master/v1/master";
import type { ChunkLayout, GetFileLayoutResponse } from "@holdfast/proto/master/v1/master";
import type { Timers } from "@holdfast/runtime";
import { planChunkReads } from "./chunk-plan.ts";
import type { ByteRange, ChunkRead } from "./chunk-plan.ts";
import type { ChunkFrames, ChunkReader } from "./chunk-reader.ts";
import type { MasterClient } from "./master-client.ts";
import { assertWanted } from "./request-scope.ts";
import type { RequestScope } from "./request-scope.ts";

/** Bytes of chunks that are read ahead of what the consumer took. */
const readAheadBytesMax = 16 * 1024 * 1024;
const chunksAheadMax = 8;
/** Times the masters are asked again where a chunk is, after all copies known failed. */
const layoutRetriesMax = 3;
const layoutRetryDelayMs = 300;

/** What a file reader works with. */
export interface FileReaderOptions {
  readonly chunks: ChunkReader;
  readonly masters: Pick<MasterClient, "queries">;
  readonly timers: Timers;
}

/**
 * Bytes of a range in order, several chunks ahead of the consumer. When all copies of a chunk that were known fail, the
 * masters are asked where it is now. Errors: dataLoss, unavailable, cancelled, invalidArgument (range behind the end).
 */
export async function* readBytes(
  options: FileReaderOptions,
  layout: GetFileLayoutResponse,
  range: ByteRange,
  scope: RequestScope,
): AsyncGenerator<Uint8Array> {
  const reads = planChunkReads(
    layout.chunks.map(({ lengthBytes }) => lengthBytes),
    range,
  );
  const plannedBytes = reads.reduce((total, { lengthBytes }) => total + lengthBytes, 0);
  if (plannedBytes !== range.lengthBytes)
    throw new HoldfastError("invalidArgument", "The range is not within the file.");
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  scope.signal.addEventListener("abort", onAbort, { once: true });
  const inner = { requestId: scope.requestId, signal: stop.signal };
  const ahead: { readonly read: ChunkRead; readonly frames: Promise<ChunkFrames> }[] = [];
  let aheadBytes = 0;
  let next = 0;
  const fill = (): void => {
    for (let read = reads[next]; read !== undefined && ahead.length < chunksAheadMax; read = reads[++next]) {
      if (ahead.length > 0 && aheadBytes + read.lengthBytes > readAheadBytesMax) return;
      const frames = readOne(options, layout, read, inner);
      // Taken up below in its turn; when the consumer leaves before, nobody asks any more.
      frames.catch(() => undefined);
      ahead.push({ read, frames });
      aheadBytes += read.lengthBytes;
    }
  };
  try {
    assertWanted(scope);
    fill();
    for (let first = ahead.shift(); first !== undefined; first = ahead.shift()) {
      const frames = await first.frames;
      aheadBytes -= first.read.lengthBytes;
      fill();
      for (const frame of frames) yield frame;
    }
  } finally {
    scope.signal.removeEventListener("abort", onAbort);
    stop.abort();
  }
}

async function readOne(
  options: FileReaderOptions,
  layout: GetFileLayoutResponse,
  read: ChunkRead,
  scope: RequestScope,
): Promise<ChunkFrames> {
  const { clusterId } = layout;
  let chunk = chunkAt(layout, read);
  for (let retries = 0; ; retries++) {
    try {
      return await options.chunks.read({ clusterId, layout: chunk, read }, scope);
    } catch (error) {
      if (isHoldfastError(error, "cancelled") || retries === layoutRetriesMax) throw error;
      await options.timers.sleep(layoutRetryDelayMs * 2 ** retries, scope.signal);
      const known = await findAgain(options, layout, { chunk, scope });
      if (known === undefined) throw error;
      chunk = known;
    }
  }
}

/** Where the chunk is now, or undefined when the file has other bytes by now. */
async function findAgain(
  options: FileReaderOptions,
  layout: GetFileLayoutResponse,
  lost: { readonly chunk: ChunkLayout; readonly scope: RequestScope },
): Promise<ChunkLayout | undefined> {
  const entryId = layout.entry?.entryId ?? 0n;
  const versionId = layout.entry?.versionId ?? 0n;
  const request = create(GetFileLayoutRequestSchema, { entryId, versionId });
  const fresh = await options.masters.queries.getFileLayout(request, lost.scope);
  return fresh.chunks.find(
    ({ chunkId, generation }) => chunkId === lost.chunk.chunkId && generation === lost.chunk.generation,
  );
}

function chunkAt(layout: GetFileLayoutResponse, read: ChunkRead): ChunkLayout {
  const chunk = layout.chunks[read.chunkIndex];
  if (chunk === undefined)
    throw new HoldfastError("internal", "A planned read names a chunk that the file does not have.");
  return chunk;
}
