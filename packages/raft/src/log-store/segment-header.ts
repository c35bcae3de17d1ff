import { crc32 } from "node:zlib";
import { assert, equalBytes } from "@holdfast/base";
import { chainBytes } from "./record.ts";

/** Bytes before a segment's first record: one disk sector. The whole format: docs/formats/raft-log.md. */
export const segmentHeaderBytes = 512;
/** Length of a directory's incarnation. */
export const incarnationBytes = 16;
/** A cluster id is at most so many bytes of UTF-8. */
export const clusterIdBytesMax = 255;

/** "HFRAFTLG" read as two little-endian numbers. */
const magicLow = 0x41524648;
const magicHigh = 0x474c5446;
const formatVersion = 1;
const offsets = {
  version: 8,
  peer: 12,
  sequence: 16,
  nextIndex: 24,
  incarnation: 32,
  chain: 48,
  clusterLength: 64,
  cluster: 65,
  crc: 508,
};

/** Whose log a directory holds. The incarnation is drawn when the directory is made, so that a wiped one is told apart. */
export interface LogIdentity {
  readonly clusterId: string;
  readonly peer: number;
  readonly incarnation: Uint8Array;
}

/** What a segment says of itself. */
export interface SegmentHeader {
  readonly identity: LogIdentity;
  /** 1 for the first segment of a directory, then one more each. */
  readonly sequence: number;
  /** Index that the next new entry would have had when the segment was begun. */
  readonly nextIndex: number;
  /** Chain value of the last record of the segment before; zeros for the first. */
  readonly previousChain: Uint8Array;
}

/** The header's bytes. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const cluster = new TextEncoder().encode(header.identity.clusterId);
  assert(cluster.length <= clusterIdBytesMax, "a cluster id is within its limit");
  assert(header.identity.incarnation.length === incarnationBytes, "an incarnation has 16 bytes");
  assert(header.previousChain.length === chainBytes, "a chain value has 16 bytes");
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magicLow, true);
  view.setUint32(4, magicHigh, true);
  view.setUint32(offsets.version, formatVersion, true);
  view.setUint32(offsets.peer, header.identity.peer, true);
  view.setBigUint64(offsets.sequence, BigInt(header.sequence), true);
  view.setBigUint64(offsets.nextIndex, BigInt(header.nextIndex), true);
  bytes.set(header.identity.incarnation, offsets.incarnation);
  bytes.set(header.previousChain, offsets.chain);
  bytes[offsets.clusterLength] = cluster.length;
  bytes.set(cluster, offsets.cluster);
  view.setUint32(offsets.crc, crc32(bytes.subarray(0, offsets.crc)), true);
  return bytes;
}

/** The header at the start of `bytes`, or undefined when it is not a sound one of this version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, segmentHeaderBytes);
  if (view.getUint32(0, true) !== magicLow || view.getUint32(4, true) !== magicHigh) return undefined;
  if (view.getUint32(offsets.crc, true) !== crc32(bytes.subarray(0, offsets.crc))) return undefined;
  if (view.getUint32(offsets.version, true) !== formatVersion) return undefined;
  const clusterLength = bytes[offsets.clusterLength] ?? 0;
  const cluster = bytes.subarray(offsets.cluster, offsets.cluster + clusterLength);
  return {
    identity: {
      clusterId: new TextDecoder().decode(cluster),
      peer: view.getUint32(offsets.peer, true),
      incarnation: Uint8Array.from(bytes.subarray(offsets.incarnation, offsets.incarnation + incarnationBytes)),
    },
    sequence: Number(view.getBigUint64(offsets.sequence, true)),
    nextIndex: Number(view.getBigUint64(offsets.nextIndex, true)),
    previousChain: Uint8Array.from(bytes.subarray(offsets.chain, offsets.chain + chainBytes)),
  };
}

/** Whether two logs are of the same directory of the same peer of the same cluster. */
export function isSameIdentity(left: LogIdentity, right: LogIdentity): boolean {
  return (
    left.clusterId === right.clusterId && left.peer === right.peer && equalBytes(left.incarnation, right.incarnation)
  );
}
