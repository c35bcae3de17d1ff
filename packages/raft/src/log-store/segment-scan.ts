import {
  isChained,
  readRecordBody,
  readRecordHeader,
  recordAlignmentBytes,
  recordBytes,
  recordTypes,
  type RecordHeader,
} from "./record.ts";
import { segmentHeaderBytes } from "./segment-header.ts";

/** A sound record found in a segment. */
export interface ScannedRecord {
  readonly offset: number;
  readonly header: RecordHeader;
  /** Shares memory with the segment's bytes. */
  readonly body: Uint8Array;
}

/** Where and why reading a segment stopped before its end. */
export interface SegmentFault {
  readonly offset: number;
  /**
   * `torn`: the bytes from `offset` on were never synced, so nobody was told of them and they may be cut off.
   * `corrupt`: they were synced once and are no longer what was written.
   */
  readonly kind: "torn" | "corrupt";
  readonly reason: string;
}

/** What a segment holds. */
export interface SegmentScan {
  readonly records: readonly ScannedRecord[];
  /** Where the next record goes. */
  readonly endOffset: number;
  /** Chain value of the last sound record. */
  readonly chain: Uint8Array;
  readonly fault: SegmentFault | undefined;
}

/** What a scan must know of its segment. */
export interface ScanOptions {
  readonly previousChain: Uint8Array;
  readonly salt: number;
  readonly isLast: boolean;
}

/**
 * Reads a segment's records in order, up to its end or the first fault. Every record says how much of its segment was
 * synced when it was written; a fault is torn only if the segment is the log's last one and no sound record behind the
 * fault says that the faulty bytes had been synced.
 */
export function scanSegment(bytes: Uint8Array, options: ScanOptions): SegmentScan {
  const records: ScannedRecord[] = [];
  let offset = segmentHeaderBytes;
  let chain = options.previousChain;
  while (offset < bytes.length) {
    const found = readRecord(bytes, offset, { salt: options.salt, previousChain: chain });
    if (typeof found === "string") {
      const isTorn = options.isLast && syncedBytesBehind(bytes, offset, options.salt) <= offset;
      return { records, endOffset: offset, chain, fault: { offset, kind: isTorn ? "torn" : "corrupt", reason: found } };
    }
    records.push(found);
    chain = found.header.chain;
    offset += recordBytes(found.header.bodyBytes);
  }
  return { records, endOffset: offset, chain, fault: undefined };
}

function readRecord(
  bytes: Uint8Array,
  offset: number,
  link: { salt: number; previousChain: Uint8Array },
): ScannedRecord | string {
  const header = readRecordHeader(bytes, offset, link.salt);
  if (header === undefined) return "no sound record header";
  const body = readRecordBody(bytes, offset, header);
  if (body === undefined) return "the body does not have its CRC-32";
  if (offset + recordBytes(header.bodyBytes) > bytes.length) return "the padding is missing";
  if (!isChained(bytes, offset, { header, body, previousChain: link.previousChain })) return "the hash chain is broken";
  if (header.type !== recordTypes.change) return `unknown record type ${header.type}`;
  return { offset, header, body };
}

/** The most that sound record headers after `offset` say was synced. */
function syncedBytesBehind(bytes: Uint8Array, offset: number, salt: number): number {
  let synced = 0;
  for (let at = offset + recordAlignmentBytes; at < bytes.length; at += recordAlignmentBytes) {
    const header = readRecordHeader(bytes, at, salt);
    if (header !== undefined) synced = Math.max(synced, header.syncedBytes);
  }
  return synced;
}
