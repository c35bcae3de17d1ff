import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert, equalBytes } from "@holdfast/base";

/** Bytes before a record's body. The whole format: docs/formats/raft-log.md. */
export const recordHeaderBytes = 64;
/** Records begin at multiples of this, so that a scan for a record behind damage is short. */
export const recordAlignmentBytes = 8;
/** A longer body is never written, so a longer length is damage. */
export const recordBodyBytesMax = 64 * 1024 * 1024;
/** Length of a link of the hash chain: a truncated SHA-256. */
export const chainBytes = 16;

/** "HFRr" read as a little-endian number. */
const recordMagic = 0x72524648;
/** The header's bytes that the chain covers: all that is before the chain itself. */
const chainedHeaderBytes = 40;
const headerCrcOffset = 60;
const lastTermOffset = 28;
/** A later term is not written: the record then says nothing of it. */
const lastTermMax = 0xffff_ffff;
const placeOffset = 56;
/** Spreads segments over all numbers: 2^32 divided by the golden ratio. */
const placeFactor = 2_654_435_761;

/** What a record's body means. Append-only. */
export const recordTypes = { change: 1 } as const;

/** A record's header, checked. */
export interface RecordHeader {
  /** The CRCs' start value that it was checked with. */
  readonly salt: number;
  readonly type: number;
  readonly bodyBytes: number;
  readonly bodyCrc32: number;
  /** Index of the first entry in the body; when there is none, the one that the next entry will have. */
  readonly firstIndex: number;
  readonly entryCount: number;
  /** Term of the log's last entry after this record; 0 when it is empty, and in records of earlier versions. */
  readonly lastTerm: number;
  /** Names segment and offset, so that a copy in another place is not taken for the record. 0 in earlier versions. */
  readonly place: number;
  /** So many bytes of the segment were synced when the record was written: damage below is not a torn write. */
  readonly syncedBytes: number;
  readonly chain: Uint8Array;
}

/**
 * Start value of all CRCs of a directory, from its incarnation. Nobody outside knows it, so that no entry's data can look
 * like a record, and a record of another directory is not one here.
 */
export function recordSalt(incarnation: Uint8Array): number {
  return crc32(incarnation);
}

/** What `sealRecord` needs to know besides the body. */
export interface RecordSeal {
  readonly salt: number;
  readonly type: number;
  readonly firstIndex: number;
  readonly entryCount: number;
  readonly lastTerm: number;
  readonly place: number;
  readonly syncedBytes: number;
  readonly previousChain: Uint8Array;
}

/** The number that a record at this place carries; never 0. */
export function placeOf(segment: number, offset: number): number {
  return (Math.imul(segment, placeFactor) + offset / recordAlignmentBytes) >>> 0 || 1;
}

/** Bytes a record with this body takes in its segment, padding included. */
export function recordBytes(bodyBytes: number): number {
  const exact = recordHeaderBytes + bodyBytes;
  return Math.ceil(exact / recordAlignmentBytes) * recordAlignmentBytes;
}

/**
 * Fills in the header of a record whose body is already in place: `record` is header room, body and padding.
 * Returns the chain value to be given to the next record.
 */
export function sealRecord(record: Uint8Array, bodyBytes: number, seal: RecordSeal): Uint8Array {
  assert(bodyBytes <= recordBodyBytesMax, "a record's body is within its limit");
  const view = new DataView(record.buffer, record.byteOffset, recordHeaderBytes);
  const body = record.subarray(recordHeaderBytes, recordHeaderBytes + bodyBytes);
  view.setUint32(0, recordMagic, true);
  view.setUint32(4, bodyBytes, true);
  view.setUint32(8, seal.type, true);
  view.setUint32(12, crc32(body, seal.salt), true);
  setSafeInteger(view, 16, seal.firstIndex);
  view.setUint32(24, seal.entryCount, true);
  view.setUint32(lastTermOffset, seal.lastTerm <= lastTermMax ? seal.lastTerm : 0, true);
  setSafeInteger(view, 32, seal.syncedBytes);
  const chain = nextChain(seal.previousChain, record.subarray(0, chainedHeaderBytes), body);
  record.set(chain, chainedHeaderBytes);
  view.setUint32(placeOffset, seal.place, true);
  view.setUint32(headerCrcOffset, crc32(record.subarray(0, headerCrcOffset), seal.salt), true);
  return chain;
}

/** The header at `offset`, or undefined when there is no sound one. */
export function readRecordHeader(bytes: Uint8Array, offset: number, salt: number): RecordHeader | undefined {
  if (offset + recordHeaderBytes > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, recordHeaderBytes);
  if (view.getUint32(0, true) !== recordMagic) return undefined;
  const crc = crc32(bytes.subarray(offset, offset + headerCrcOffset), salt);
  if (view.getUint32(headerCrcOffset, true) !== crc) return undefined;
  const header = {
    salt,
    type: view.getUint32(8, true),
    bodyBytes: view.getUint32(4, true),
    bodyCrc32: view.getUint32(12, true),
    firstIndex: Number(view.getBigUint64(16, true)),
    entryCount: view.getUint32(24, true),
    lastTerm: view.getUint32(lastTermOffset, true),
    place: view.getUint32(placeOffset, true),
    syncedBytes: Number(view.getBigUint64(32, true)),
    chain: Uint8Array.from(bytes.subarray(offset + chainedHeaderBytes, offset + chainedHeaderBytes + chainBytes)),
  };
  const isPossible =
    header.bodyBytes <= recordBodyBytesMax && Number.isSafeInteger(header.firstIndex + header.entryCount);
  return isPossible ? header : undefined;
}

/** The body of the record at `offset` when its CRC-32 agrees, else undefined. Shares memory. */
export function readRecordBody(bytes: Uint8Array, offset: number, header: RecordHeader): Uint8Array | undefined {
  const start = offset + recordHeaderBytes;
  if (start + header.bodyBytes > bytes.length) return undefined;
  const body = bytes.subarray(start, start + header.bodyBytes);
  return crc32(body, header.salt) === header.bodyCrc32 ? body : undefined;
}

/** Whether the record at `offset` is the one that was written after `previousChain`. */
export function isChained(
  bytes: Uint8Array,
  offset: number,
  link: { header: RecordHeader; body: Uint8Array; previousChain: Uint8Array },
): boolean {
  const chained = bytes.subarray(offset, offset + chainedHeaderBytes);
  return equalBytes(nextChain(link.previousChain, chained, link.body), link.header.chain);
}

/** Put together here, a small record is hashed in one call, which takes half as long as four. */
const joined = new Uint8Array(2048);

function nextChain(previous: Uint8Array, headerStart: Uint8Array, body: Uint8Array): Uint8Array {
  const bodyOffset = previous.length + headerStart.length;
  const lengthBytes = bodyOffset + body.length;
  if (lengthBytes <= joined.length) {
    joined.set(previous);
    joined.set(headerStart, previous.length);
    joined.set(body, bodyOffset);
    const digest = hash("sha256", joined.subarray(0, lengthBytes), "buffer");
    return new Uint8Array(digest.buffer, digest.byteOffset, chainBytes);
  }
  const digest = createHash("sha256").update(previous).update(headerStart).update(body).digest();
  return new Uint8Array(digest.buffer, digest.byteOffset, chainBytes);
}

function setSafeInteger(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}
