/** Bytes of one chunk that a reader needs. */
export interface ChunkRead {
  /** Position of the chunk in its file. */
  readonly chunkIndex: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Whether this is all of the chunk, so that its SHA-256 can be checked. */
  readonly isWhole: boolean;
}

/** A part of a file. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The reads that make up a range, in order. What lies behind the end of the file is left out. */
export function planChunkReads(chunkLengthsBytes: readonly number[], range: ByteRange): ChunkRead[] {
  const rangeEnd = range.offsetBytes + range.lengthBytes;
  const reads: ChunkRead[] = [];
  let chunkStart = 0;
  for (const [chunkIndex, chunkLength] of chunkLengthsBytes.entries()) {
    const start = Math.max(range.offsetBytes, chunkStart);
    const end = Math.min(rangeEnd, chunkStart + chunkLength);
    if (start < end) {
      const lengthBytes = end - start;
      reads.push({ chunkIndex, offsetBytes: start - chunkStart, lengthBytes, isWhole: lengthBytes === chunkLength });
    }
    chunkStart += chunkLength;
    if (chunkStart >= rangeEnd) break;
  }
  return reads;
}
