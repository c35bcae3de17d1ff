import { HoldfastError } from "@holdfast/base";
import type { ReadChunkRequest, WriteChunkRequest, WriteHeader } from "@holdfast/proto/chunk/v1/chunk";
import type { ChunkKey, ChunkRange, HeldChunk } from "../store/chunk-store.ts";

/** Data of one frame at most. */
export const frameBytesMax = 1024 * 1024;
/** Nodes behind this one at most. */
const forwardTargetsMax = 8;

/** Errors: invalidArgument. */
export function chunkKeyFromWire(wire: { readonly chunkId: bigint; readonly generation: number }): ChunkKey {
  if (wire.chunkId < 1n || wire.chunkId > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid("the chunk id is out of range");
  return { chunkId: Number(wire.chunkId), generation: wire.generation };
}

/** Errors: invalidArgument. */
export function heldChunkFromWire(header: WriteHeader): HeldChunk {
  if (header.forward.length > forwardTargetsMax) throw invalid(`more than ${forwardTargetsMax} nodes to forward to`);
  return { ...chunkKeyFromWire(header), lengthBytes: header.lengthBytes };
}

/** Errors: invalidArgument. */
export function chunkRangeFromWire(request: ReadChunkRequest): ChunkRange {
  const lengthBytes = request.lengthBytes === 0 ? undefined : request.lengthBytes;
  return { ...chunkKeyFromWire(request), offsetBytes: request.offsetBytes, lengthBytes };
}

/** The header, which must come first. Errors: invalidArgument. */
export function headerFromWire(first: WriteChunkRequest | undefined): WriteHeader {
  if (first?.frame.case === "header") return first.frame.value;
  throw invalid("a write begins with a header");
}

/** Errors: wrongCluster. Also when this node has not joined any. */
export function checkCluster(ours: string, theirs: string): void {
  if (ours !== "" && ours === theirs) return;
  throw new HoldfastError(
    "wrongCluster",
    "This node belongs to another cluster or has not joined one yet. Nothing was done. Ask the masters for the node's address again.",
  );
}

/** A stream that is not as it must be. */
export function invalid(what: string): HoldfastError {
  return new HoldfastError("invalidArgument", `The request cannot be right: ${what}. Nothing was stored.`);
}
