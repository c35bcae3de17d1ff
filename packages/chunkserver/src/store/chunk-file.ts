import { crc32 } from "node:zlib";
import { assert, equalBytes, ok, refused } from "@holdfast/base";
import type { Result } from "@holdfast/base";
import { blockSizeBytes } from "./block-checksums.ts";
import { chunkLengthBytesMax } from "./chunk-store.ts";
import type { ChunkFacts, ChunkKey } from "./chunk-store.ts";

/** The chunk file to the byte: docs/formats/chunk-file.md. */
export const footerSizeBytes = 128;
const magic = Buffer.from("HFCHUNK\n", "ascii");
const formatVersion = 1;
const clusterIdSizeBytes = 48;

/** What a footer holds. */
export interface ChunkFooter extends ChunkFacts {
  readonly clusterId: string;
  /** CRC-32 of the checksum table before it. */
  readonly tableCrc: number;
}

/** Blocks of a chunk. */
export function blockCount(lengthBytes: number): number {
  return Math.ceil(lengthBytes / blockSizeBytes);
}

/** Size of the whole file of a chunk. */
export function chunkFileSizeBytes(lengthBytes: number): number {
  return lengthBytes + 4 * blockCount(lengthBytes) + footerSizeBytes;
}

/** Length of the chunk in a file of this size, or undefined when no chunk file has this size. */
export function chunkLengthFromFileSize(fileSizeBytes: number): number | undefined {
  const bodyBytes = fileSizeBytes - footerSizeBytes;
  if (bodyBytes < 5) return undefined;
  const lengthBytes = bodyBytes - 4 * Math.ceil(bodyBytes / (blockSizeBytes + 4));
  if (lengthBytes < 1 || lengthBytes > chunkLengthBytesMax) return undefined;
  return chunkFileSizeBytes(lengthBytes) === fileSizeBytes ? lengthBytes : undefined;
}

/** Footer bytes. */
export function encodeFooter(footer: ChunkFooter): Uint8Array {
  assert(footer.sha256.length === 32, "a SHA-256 has 32 bytes");
  assert(footer.clusterId.length <= clusterIdSizeBytes, "a cluster id fits the footer");
  const bytes = Buffer.alloc(footerSizeBytes);
  magic.copy(bytes, 0);
  bytes.writeUInt16BE(formatVersion, 8);
  bytes.writeUInt32BE(blockSizeBytes, 12);
  bytes.writeBigUInt64BE(BigInt(footer.chunkId), 16);
  bytes.writeUInt32BE(footer.generation, 24);
  bytes.writeUInt32BE(footer.lengthBytes, 28);
  bytes.set(footer.sha256, 32);
  bytes.write(footer.clusterId, 64, clusterIdSizeBytes, "ascii");
  bytes.writeUInt32BE(footer.tableCrc, 112);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** A footer from its bytes, or in words why it is none. */
export function decodeFooter(encoded: Uint8Array): Result<ChunkFooter, string> {
  if (encoded.length !== footerSizeBytes) return refused(`footer has ${encoded.length} bytes`);
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  if (bytes.readUInt32BE(124) !== crc32(bytes.subarray(0, 124))) return refused("footer CRC does not match");
  if (!equalBytes(bytes.subarray(0, 8), magic)) return refused("not a chunk file");
  const version = bytes.readUInt16BE(8);
  if (version !== formatVersion) return refused(`format version ${version} is not known`);
  if (bytes.readUInt32BE(12) !== blockSizeBytes) return refused("block size is not known");
  const clusterEnd = bytes.indexOf(0, 64);
  return ok({
    chunkId: Number(bytes.readBigUInt64BE(16)),
    generation: bytes.readUInt32BE(24),
    lengthBytes: bytes.readUInt32BE(28),
    sha256: new Uint8Array(bytes.subarray(32, 64)),
    clusterId: bytes.toString("ascii", 64, clusterEnd >= 64 && clusterEnd < 112 ? clusterEnd : 112),
    tableCrc: bytes.readUInt32BE(112),
  });
}

/** What the reader of a file expects to find at its end. */
export interface TailExpectation extends ChunkKey {
  readonly lengthBytes: number;
  readonly clusterId: string;
}

/** A verified end of a file: table and footer belong together and to the expected chunk. */
export interface ChunkTail {
  readonly footer: ChunkFooter;
  readonly table: Uint8Array;
}

/** Checks table and footer as they were read from the end of a file. */
export function decodeTail(encoded: Uint8Array, expected: TailExpectation): Result<ChunkTail, string> {
  const tableSizeBytes = 4 * blockCount(expected.lengthBytes);
  if (encoded.length !== tableSizeBytes + footerSizeBytes) return refused("file is shorter than its size says");
  const decoded = decodeFooter(encoded.subarray(tableSizeBytes));
  if (!decoded.ok) return decoded;
  const footer = decoded.value;
  const table = encoded.subarray(0, tableSizeBytes);
  if (crc32(table) !== footer.tableCrc) return refused("checksum table does not match its CRC");
  if (footer.chunkId !== expected.chunkId) return refused(`footer names chunk ${footer.chunkId}`);
  if (footer.generation !== expected.generation) return refused(`footer names generation ${footer.generation}`);
  if (footer.lengthBytes !== expected.lengthBytes) return refused(`footer names length ${footer.lengthBytes}`);
  if (footer.clusterId !== expected.clusterId) return refused("footer names another cluster");
  return ok({ footer, table });
}
