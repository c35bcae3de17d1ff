import { HoldfastError } from "@holdfast/base";
import { chunkLengthBytesMax } from "./chunk-store.ts";
import type { ChunkRange, HeldChunk } from "./chunk-store.ts";

/** Errors: invalidArgument when no chunk can look like this. */
export function checkNewChunk(chunk: HeldChunk): void {
  const { chunkId, generation, lengthBytes } = chunk;
  if (!Number.isSafeInteger(chunkId) || chunkId < 1) throw invalid(`chunk id ${chunkId} is not one`);
  if (!Number.isInteger(generation) || generation < 1 || generation >= 2 ** 26) {
    throw invalid(`generation ${generation} is out of range`);
  }
  if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > chunkLengthBytesMax) {
    throw invalid(`a chunk has 1 to ${chunkLengthBytesMax} bytes, not ${lengthBytes}`);
  }
}

/** Start and end within the chunk. Errors: invalidArgument when the range leaves it. */
export function checkRange(
  range: ChunkRange,
  chunkLengthBytes: number,
): { readonly startBytes: number; readonly endBytes: number } {
  const startBytes = range.offsetBytes;
  const endBytes = range.lengthBytes === undefined ? chunkLengthBytes : startBytes + range.lengthBytes;
  if (startBytes < 0 || startBytes >= endBytes || endBytes > chunkLengthBytes) {
    throw invalid(`bytes ${startBytes} to ${endBytes} are not within the chunk's ${chunkLengthBytes}`);
  }
  return { startBytes, endBytes };
}

function invalid(what: string): HoldfastError {
  return new HoldfastError("invalidArgument", `The request cannot be right: ${what}. Nothing was done.`);
}
