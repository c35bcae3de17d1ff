import { isPlanted, ok, refused } from "@holdfast/base";
import type { Result } from "@holdfast/base";
import type { DiskFile } from "@holdfast/runtime";
import { blockSizeBytes, findDamagedBlock } from "./block-checksums.ts";
import { blockCount, decodeTail, footerSizeBytes } from "./chunk-file.ts";
import type { ChunkTail, TailExpectation } from "./chunk-file.ts";

/** Bytes of one piece: a whole number of blocks. */
export const pieceBytesMax = 8 * blockSizeBytes;

/** Table and footer of an open file, or in words why they are damaged. Errors: those of the disk. */
export async function readTail(file: DiskFile, expected: TailExpectation): Promise<Result<ChunkTail, string>> {
  const { lengthBytes } = expected;
  return decodeTail(await file.read(lengthBytes, 4 * blockCount(lengthBytes) + footerSizeBytes), expected);
}

/** Which bytes of an open file, and how to check them. */
export interface VerifiedRange {
  readonly file: DiskFile;
  readonly table: Uint8Array;
  readonly chunkLengthBytes: number;
  readonly startBytes: number;
  readonly endBytes: number;
}

/**
 * Pieces of a range in order, each checked against the table before it is yielded, the next one being read meanwhile.
 * Ends with a refusal in words at the first damaged block. Errors: those of the disk.
 */
export async function* readVerified(range: VerifiedRange): AsyncGenerator<Result<Uint8Array, string>, void, undefined> {
  const firstPiece = range.startBytes - (range.startBytes % blockSizeBytes);
  let upcoming: Promise<Result<Uint8Array, string>> | undefined = readPiece(range, firstPiece);
  for (let pieceStart = firstPiece; upcoming !== undefined; pieceStart += pieceBytesMax) {
    const piece: Result<Uint8Array, string> = await upcoming;
    const nextStart = pieceStart + pieceBytesMax;
    upcoming = piece.ok && nextStart < range.endBytes ? readPiece(range, nextStart) : undefined;
    // A consumer that goes away leaves this promise behind; its failure is then nobody's concern.
    upcoming?.catch(() => undefined);
    yield piece;
    if (!piece.ok) return;
  }
}

async function readPiece(range: VerifiedRange, pieceStart: number): Promise<Result<Uint8Array, string>> {
  const { file, table, chunkLengthBytes, startBytes, endBytes } = range;
  const wantedEnd = Math.min(pieceStart + pieceBytesMax, endBytes);
  const blocksEnd = Math.min(Math.ceil(wantedEnd / blockSizeBytes) * blockSizeBytes, chunkLengthBytes);
  const bytes = await file.read(pieceStart, blocksEnd - pieceStart);
  if (bytes.length !== blocksEnd - pieceStart) return refused("the file is shorter than its size said");
  const damaged = isPlanted("unverifiedCopy") ? undefined : findDamagedBlock(bytes, table, pieceStart / blockSizeBytes);
  if (damaged !== undefined) return refused(`block ${damaged} does not match its CRC`);
  return ok(bytes.subarray(Math.max(startBytes - pieceStart, 0), wantedEnd - pieceStart));
}
