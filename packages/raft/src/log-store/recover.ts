import { assert, equalBytes, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk } from "@holdfast/runtime";
import type { SnapshotMeta } from "../core/entries.ts";
import { decodeChange } from "./change-codec.ts";
import type { LogMap } from "./log-map.ts";
import type { LogBoot } from "./log-store.ts";
import { chainBytes, placeOf, recordBytes, recordSalt } from "./record.ts";
import { Replay } from "./replay.ts";
import { isUnfinishedSegment, listSegments, segmentPath } from "./segment-files.ts";
import {
  decodeSegmentHeader,
  isSameIdentity,
  segmentHeaderBytes,
  type LogIdentity,
  type SegmentHeader,
} from "./segment-header.ts";
import { scanSegment, type ScannedRecord, type SegmentFault } from "./segment-scan.ts";

/** Where the log goes on. */
export interface LogEnd {
  readonly segment: number;
  readonly offset: number;
  readonly chain: Uint8Array;
  /** The last segment has no record yet. */
  readonly isSegmentEmpty: boolean;
}

/** What was found on disk. */
export interface RecoveredLog {
  readonly boot: LogBoot;
  readonly map: LogMap;
  readonly end: LogEnd;
  readonly segments: readonly number[];
  /** See `LogStore.intent`. */
  readonly intent: SnapshotMeta | undefined;
  /** See `LogStore.promises`. */
  readonly promises: Uint8Array | undefined;
  /** Whether this node knows if it founds a group or joins one. */
  readonly isDecided: boolean;
}

/** What recovery needs. */
export interface RecoveryOptions {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly directory: string;
  readonly identity: LogIdentity;
  readonly founding: SnapshotMeta;
  readonly windowBytesMax: number;
  /** Others hold the same log and will give back what is missing. Default false. */
  readonly isRepairable?: boolean;
}

/**
 * Reads all segments in order. What a crash left unfinished at the very end is cut off and logged. What else is damaged
 * is missing, and known to be, if others can give it back and what surrounds it tells how much it was; else the damage
 * ends with `dataLoss` and changes nothing.
 */
export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const segments = await listFinishedSegments(options);
  const replay = new Replay(options.founding, options.windowBytesMax);
  let tail: SegmentTail | undefined;
  for (const [position, sequence] of segments.entries()) {
    const isLast = position === segments.length - 1;
    tail = await recoverSegment({ options, replay, sequence, isLast, before: tail });
  }
  if (tail === undefined) throw damaged(options.directory, "there is an identity but no segment");
  const boot = replay.finish();
  if (typeof boot === "string") throw damaged(options.directory, boot);
  const end = await settleTail(options, tail);
  if (boot.missing !== undefined) {
    const ranges = boot.missing.ranges.map(({ from, to }) => `${from}-${to}`).join();
    options.logger.error("raft.log_damaged", { directory: options.directory, missing: ranges });
  }
  const { map, intent, promises, isDecided } = replay;
  return { boot, map, end, segments, intent, promises, isDecided };
}

interface SegmentRecovery {
  readonly options: RecoveryOptions;
  readonly replay: Replay;
  readonly sequence: number;
  readonly isLast: boolean;
  readonly before: SegmentTail | undefined;
}

/** How reading a segment ended. */
interface SegmentTail {
  readonly sequence: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly recordCount: number;
  readonly endOffset: number;
  readonly chain: Uint8Array | undefined;
  readonly fault: SegmentFault | undefined;
  /** What was written last, of which nothing says that it was synced; a segment without a record is all of that kind. */
  readonly unsynced: { readonly offset: number; readonly bytes: Uint8Array };
  /** What is lost at its end, and why. */
  readonly lost: string | undefined;
}

async function recoverSegment(recovery: SegmentRecovery): Promise<SegmentTail> {
  const { options, sequence, isLast, before } = recovery;
  const path = segmentPath(options.directory, sequence);
  const bytes = await options.disk.readFile(path);
  const { previousChain, damage } = beginSegment(recovery, path, decodeSegmentHeader(bytes));
  const salt = recordSalt(options.identity.incarnation);
  const scan = scanSegment(bytes, { sequence, previousChain, salt, isLast });
  let lost = before?.lost ?? damage;
  for (const record of scan.records) {
    if (record.damage !== undefined) lost ??= `${record.damage.reason} at byte ${record.damage.offset}`;
    const fault = replayRecord(recovery, record, lost);
    if (fault !== undefined) throw damaged(path, lost === undefined ? `${fault} at byte ${record.offset}` : fault);
    lost = undefined;
  }
  const { records, endOffset, chain, fault } = scan;
  if (fault?.kind === "corrupt") lost ??= `${fault.reason} at byte ${fault.offset}`;
  if (lost !== undefined && (isLast || !options.isRepairable)) throw damaged(path, lost);
  const offset = records.at(-1)?.header.syncedBytes ?? 0;
  const unsynced = { offset, bytes: bytes.subarray(offset, endOffset) };
  const recordCount = records.length;
  return { sequence, path, sizeBytes: bytes.length, recordCount, endOffset, chain, fault, unsynced, lost };
}

function replayRecord(
  { options, replay, sequence }: SegmentRecovery,
  record: ScannedRecord,
  lost: string | undefined,
): string | undefined {
  // A copy, so that entries kept in memory do not keep the whole segment there.
  const change = decodeChange(Uint8Array.from(record.body), record.header);
  if (change === undefined) return "a body that cannot be read";
  if (lost !== undefined) {
    if (!options.isRepairable || record.header.place !== placeOf(sequence, record.offset)) return lost;
    options.logger.error("raft.log_record_damaged", { segment: sequence, before: record.offset, reason: lost });
    const unknown = replay.resume(change, record.header);
    if (unknown !== undefined) return `${lost}, and ${unknown}`;
  }
  return replay.take(change, { segment: sequence, offset: record.offset, bytes: recordBytes(record.header.bodyBytes) });
}

/** Where the chain goes on in a segment, and what is lost before it. */
function beginSegment(
  { options, sequence, before }: SegmentRecovery,
  path: string,
  header: SegmentHeader | undefined,
): { readonly previousChain: Uint8Array | undefined; readonly damage?: string } {
  const isMissing = before !== undefined && sequence !== before.sequence + 1;
  const isBehindLoss = isMissing || before?.lost !== undefined;
  const chain = isBehindLoss ? undefined : (before?.chain ?? (sequence === 1 ? new Uint8Array(chainBytes) : undefined));
  if (header === undefined) {
    if (!options.isRepairable) throw damaged(path, "its header is not sound");
    // Nothing is lost with it: the records say themselves whose they are and where they belong.
    options.logger.error("raft.log_segment_header_damaged", { path });
  } else if (header.sequence !== sequence) throw damaged(path, "its header is not sound");
  else if (!isSameIdentity(header.identity, options.identity)) throw damaged(path, "it belongs to another log");
  if (isMissing) return { previousChain: header?.previousChain, damage: `segment ${before.sequence + 1} is missing` };
  if (header === undefined || chain === undefined) return { previousChain: chain ?? header?.previousChain };
  if (equalBytes(chain, header.previousChain)) return { previousChain: chain };
  return { previousChain: header.previousChain, damage: "it does not continue the segment before it" };
}

/**
 * Cuts off a torn tail, and makes durable what stays: after the death of a process alone, what it had written but not
 * synced is still readable, and from here on it counts. The last group is written anew before the sync: if its own sync
 * had failed, the kernel would show its pages, call them clean, and lose them with the power.
 */
async function settleTail(options: RecoveryOptions, tail: SegmentTail): Promise<LogEnd> {
  const { sequence, path, sizeBytes, recordCount, endOffset, chain, fault, unsynced } = tail;
  const file = await options.disk.open(path, "readWrite");
  try {
    if (fault !== undefined) {
      const fields = { path, keptBytes: endOffset, cutBytes: sizeBytes - endOffset, reason: fault.reason };
      options.logger.warn("raft.log_tail_repaired", fields);
      await file.truncate(endOffset);
    }
    await file.write(unsynced.bytes, unsynced.offset);
    await file.syncData();
    await options.disk.syncDirectory(options.directory);
  } finally {
    await file.close();
  }
  assert(chain !== undefined, "the last segment's end is known");
  return { segment: sequence, offset: endOffset, chain, isSegmentEmpty: recordCount === 0 };
}

/** Segments without a last one whose making a crash interrupted; that one is removed. */
async function listFinishedSegments(options: RecoveryOptions): Promise<readonly number[]> {
  const { disk, directory, logger } = options;
  const sequences = await listSegments(disk, directory);
  const last = sequences.at(-1);
  if (last === undefined || sequences.length === 1) return sequences;
  const path = segmentPath(directory, last);
  const size = (await disk.stat(path))?.sizeBytes ?? 0;
  if (size > segmentHeaderBytes || !isUnfinishedSegment(await disk.readFile(path))) return sequences;
  logger.warn("raft.log_segment_unfinished", { path, cutBytes: size });
  await disk.remove(path);
  await disk.syncDirectory(directory);
  return sequences.slice(0, -1);
}

function damaged(where: string, what: string): HoldfastError {
  return new HoldfastError(
    "dataLoss",
    `the log is damaged: ${where}: ${what}. Nothing was changed; the other masters hold the same log. Move this folder away and let the node join anew`,
  );
}
