import {
  isChained,
  placeOf,
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
  /** What was between the record before it and this one is lost. */
  readonly damage?: SegmentDamage;
}

/** Where and why a record could not be read. */
export interface SegmentDamage {
  readonly offset: number;
  readonly reason: string;
}

/** Where and why reading a segment stopped before its end. */
export interface SegmentFault extends SegmentDamage {
  /**
   * `torn`: the bytes from `offset` on were never synced, so nobody was told of them and they may be cut off.
   * `corrupt`: they were synced once, are no longer what was written, and no sound record follows in this segment.
   */
  readonly kind: "torn" | "corrupt";
}

/** What a segment holds. */
export interface SegmentScan {
  readonly records: readonly ScannedRecord[];
  /** Where the next record goes. */
  readonly endOffset: number;
  /** Chain value of the last sound record; undefined: there is none, and what came before is lost. */
  readonly chain: Uint8Array | undefined;
  readonly fault: SegmentFault | undefined;
}

/** What a scan must know of its segment. */
export interface ScanOptions {
  /** The segment's number. */
  readonly sequence: number;
  /** Chain value of the record before the first; undefined: that is lost. */
  readonly previousChain: Uint8Array | undefined;
  readonly salt: number;
  readonly isLast: boolean;
}

/**
 * Reads a segment's records in order. Every record says how much of its segment was synced when it was written; a fault
 * is torn only if the segment is the log's last one and no sound record behind the fault says that the faulty bytes had
 * been synced. Behind other faults reading goes on with the next sound record that says of itself that it belongs there:
 * the chain cannot show it, because its last link is lost.
 */
export function scanSegment(bytes: Uint8Array, options: ScanOptions): SegmentScan {
  const { salt, sequence, isLast } = options;
  const records: ScannedRecord[] = [];
  let offset = segmentHeaderBytes;
  let chain = options.previousChain;
  let damage: SegmentDamage | undefined;
  while (offset < bytes.length) {
    const found = readRecord(bytes, offset, { salt, sequence, previousChain: chain });
    if (typeof found !== "string") {
      records.push(damage === undefined ? found : { ...found, damage });
      damage = undefined;
      chain = found.header.chain;
      offset += recordBytes(found.header.bodyBytes);
      continue;
    }
    const isTorn = isLast && syncedBytesBehind(bytes, offset, salt) <= offset;
    const next = isTorn ? undefined : findRecord(bytes, offset, { salt, sequence });
    if (next === undefined) {
      const kind = isTorn ? "torn" : "corrupt";
      return { records, endOffset: offset, chain, fault: { offset, kind, reason: found } };
    }
    damage = { offset, reason: found };
    chain = undefined;
    offset = next;
  }
  return { records, endOffset: offset, chain, fault: undefined };
}

interface RecordLink {
  readonly salt: number;
  readonly sequence: number;
  readonly previousChain: Uint8Array | undefined;
}

function readRecord(bytes: Uint8Array, offset: number, link: RecordLink): ScannedRecord | string {
  const { salt, sequence, previousChain } = link;
  const header = readRecordHeader(bytes, offset, salt);
  if (header === undefined) return "no sound record header";
  const body = readRecordBody(bytes, offset, header);
  if (body === undefined) return "the body does not have its CRC-32";
  if (offset + recordBytes(header.bodyBytes) > bytes.length) return "the padding is missing";
  if (previousChain === undefined) {
    if (header.place !== placeOf(sequence, offset)) return "nothing says that it belongs here";
  } else if (!isChained(bytes, offset, { header, body, previousChain })) return "the hash chain is broken";
  if (header.type !== recordTypes.change) return `unknown record type ${header.type}`;
  return { offset, header, body };
}

/** Where the next sound record that belongs there begins. */
function findRecord(
  bytes: Uint8Array,
  offset: number,
  link: { readonly salt: number; readonly sequence: number },
): number | undefined {
  for (let at = offset; at < bytes.length; at += recordAlignmentBytes) {
    if (typeof readRecord(bytes, at, { ...link, previousChain: undefined }) !== "string") return at;
  }
  return undefined;
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
