import { create } from "@bufbuild/protobuf";
import { ForwardTargetSchema, WriteChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { WriteChunkRequest } from "@holdfast/proto/chunk/v1/chunk";
import { sha256Of } from "../store/chunk-store.contract.ts";

/** A write as a test wants it; what is left out is as it should be. */
export interface FramedChunk {
  readonly chunkId: number;
  readonly bytes: Uint8Array;
  /** The nodes behind the first. */
  readonly forward?: readonly { readonly nodeId: number; readonly address: string }[];
  readonly clusterId?: string;
  readonly lengthBytes?: number;
  readonly sha256?: Uint8Array;
  readonly frameBytes?: number;
  /** Ends the stream before its trailer. */
  readonly isCut?: boolean;
  /** Called before every data frame, and awaited. */
  readonly beforeFrame?: (offsetBytes: number) => Promise<void>;
}

/** The frames of a write. */
export async function* chunkFrames(chunk: FramedChunk): AsyncGenerator<WriteChunkRequest> {
  const { bytes, frameBytes = 262_144, clusterId = "c1", lengthBytes = bytes.length } = chunk;
  const forward = (chunk.forward ?? []).map(({ nodeId, address }) => create(ForwardTargetSchema, { nodeId, address }));
  const header = { clusterId, chunkId: BigInt(chunk.chunkId), generation: 1, lengthBytes, forward };
  yield create(WriteChunkRequestSchema, { frame: { case: "header", value: header } });
  for (let offset = 0; offset < bytes.length; offset += frameBytes) {
    await chunk.beforeFrame?.(offset);
    yield create(WriteChunkRequestSchema, {
      frame: { case: "data", value: bytes.subarray(offset, offset + frameBytes) },
    });
  }
  if (chunk.isCut === true) return;
  yield create(WriteChunkRequestSchema, {
    frame: { case: "trailer", value: { sha256: chunk.sha256 ?? sha256Of(bytes) } },
  });
}
