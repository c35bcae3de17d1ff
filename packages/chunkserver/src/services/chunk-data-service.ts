import { create } from "@bufbuild/protobuf";
import { AsyncQueue } from "@holdfast/base";
import type { Metrics } from "@holdfast/observability";
import { ReadChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import type {
  ChunkDataService,
  ReadChunkRequest,
  ReadChunkResponse,
  WriteChunkRequest,
  WriteChunkResponse,
} from "@holdfast/proto/chunk/v1/chunk";
import type { CallContext, ServiceHandlers } from "@holdfast/rpc";
import { ChunkReceiver } from "./chunk-receiver.ts";
import type { BackgroundReads } from "../replicate/background-reads.ts";
import type { ChunkReceiverOptions } from "./chunk-receiver.ts";
import { checkCluster, chunkRangeFromWire } from "./chunk-requests-from-wire.ts";

/** What the data service works with. */
export interface ChunkDataServiceOptions extends ChunkReceiverOptions {
  readonly metrics: Metrics;
  /** Reads for copies on other nodes. */
  readonly backgroundReads: Pick<BackgroundReads, "read">;
}

/** Bytes in and out of this node. */
export function createChunkDataService(options: ChunkDataServiceOptions): ServiceHandlers<typeof ChunkDataService> {
  const { store, node, metrics, backgroundReads } = options;
  const readBytes = metrics.counter({
    name: "holdfast_chunkserver_read_bytes",
    help: "Bytes of chunks sent to readers.",
  });
  const writtenChunks = metrics.counter({
    name: "holdfast_chunkserver_written_chunks",
    help: "Chunk writes received to their end.",
  });

  return {
    async *writeChunk(
      requests: AsyncIterable<WriteChunkRequest>,
      context: CallContext,
    ): AsyncGenerator<WriteChunkResponse> {
      const acks = new AsyncQueue<WriteChunkResponse>();
      const receiver = new ChunkReceiver(options, acks);
      receiver.receive(requests, context).then(
        () => {
          writtenChunks.add();
          acks.end();
        },
        (error: unknown) => acks.fail(error),
      );
      yield* acks;
    },

    async *readChunk(request: ReadChunkRequest, context: CallContext): AsyncGenerator<ReadChunkResponse> {
      checkCluster(node().clusterId, request.clusterId);
      const range = chunkRangeFromWire(request);
      const pieces = request.isBackground ? backgroundReads.read(range, context.signal) : store.read(range);
      for await (const data of pieces) {
        readBytes.add(data.length);
        yield create(ReadChunkResponseSchema, { data });
      }
    },
  };
}
