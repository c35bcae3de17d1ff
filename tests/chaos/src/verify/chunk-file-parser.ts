import { createHash } from "node:crypto";

/**
 * Reads a chunk file as docs/formats/chunk-file.md describes it. Written from that page alone and sharing no code with
 * the cluster, so that both cannot be wrong in the same way.
 */
export interface ParsedChunk {
  /** 16 hex digits. */
  readonly chunkId: string;
  readonly generation: number;
  readonly lengthBytes: number;
  /** Hex; checked against the data. */
  readonly sha256: string;
  readonly clusterId: string;
}

const blockBytes = 65_536;
const footerBytes = 128;
const magic = Buffer.from("HFCHUNK\n", "latin1");

/** The chunk, or what is wrong with it in words. */
export function parseChunkFile(file: Buffer): ParsedChunk | string {
  if (file.length < footerBytes + 5) return `${file.length} bytes are too few`;
  const footer = file.subarray(file.length - footerBytes);
  if (!footer.subarray(0, 8).equals(magic)) return "no magic";
  if (crc32(footer.subarray(0, 124)) !== footer.readUInt32BE(124)) return "the footer's checksum is wrong";
  if (footer.readUInt16BE(8) !== 1) return `format version ${footer.readUInt16BE(8)}`;
  if (footer.readUInt16BE(10) !== 0 || footer.readBigUInt64BE(116) !== 0n) return "reserved bytes are not zero";
  if (footer.readUInt32BE(12) !== blockBytes) return `blocks of ${footer.readUInt32BE(12)} bytes`;
  const lengthBytes = footer.readUInt32BE(28);
  const blocks = Math.ceil(lengthBytes / blockBytes);
  if (file.length !== lengthBytes + 4 * blocks + footerBytes)
    return `${file.length} bytes do not fit a length of ${lengthBytes}`;
  const table = file.subarray(lengthBytes, lengthBytes + 4 * blocks);
  if (crc32(table) !== footer.readUInt32BE(112)) return "the table's checksum is wrong";
  for (let block = 0; block < blocks; block++) {
    const data = file.subarray(block * blockBytes, Math.min((block + 1) * blockBytes, lengthBytes));
    if (crc32(data) !== table.readUInt32BE(4 * block)) return `block ${block} is damaged`;
  }
  const sha256 = footer.subarray(32, 64).toString("hex");
  if (createHash("sha256").update(file.subarray(0, lengthBytes)).digest("hex") !== sha256)
    return "the SHA-256 is wrong";
  return {
    chunkId: footer.subarray(16, 24).toString("hex"),
    generation: footer.readUInt32BE(24),
    lengthBytes,
    sha256,
    clusterId: footer.subarray(64, 112).toString("latin1").replace(/\0+$/, ""),
  };
}

/** Its own table, as zlib's is what the cluster uses. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 (ISO-HDLC). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
