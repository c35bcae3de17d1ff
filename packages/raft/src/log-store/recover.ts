import { equalBytes, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk } from "@holdfast/runtime";
import type { SnapshotMeta } from "../core/entries.ts";
import { decodeChange } from "./change-codec.ts";
import type { LogMap } from "./log-map.ts";
import type { LogBoot } from "./log-store.ts";
import { chainBytes, recordBytes, recordSalt } from "./record.ts";
import { Replay } from "./replay.ts";
import { isUnfinishedSegment, listSegments, segmentPath } from "./segment-files.ts";
import {
  decodeSegmentHeader,
  isSameIdentity,
  segmentHeaderBytes,
  type LogIdentity,
  type SegmentHeader,
} from "./segment-header.ts";
import { scanSegment, type ScannedRecord, type SegmentScan } from "./segment-scan.ts";

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
}

/**
 * Reads all segments in order. What a crash left unfinished at the very end is cut off and logged; any other damage ends
 * with `dataLoss` and changes nothing.
 */
export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const segments = await listFinishedSegments(options);
  const replay = new Replay(options.founding, options.windowBytesMax);
  let end: LogEnd | undefined;
  for (const [position, sequence] of segments.entries()) {
    const isLast = position === segments.length - 1;
    end = await recoverSegment({ options, replay, sequence, isLast, before: end });
  }
  if (end === undefined) throw damaged(options.directory, "there is an identity but no segment");
  const boot = replay.finish();
  if (typeof boot === "string") throw damaged(options.directory, boot);
  return { boot, map: replay.map, end, segments, intent: replay.intent, isDecided: replay.isDecided };
}

interface SegmentRecovery {
  readonly options: RecoveryOptions;
  readonly replay: Replay;
  readonly sequence: number;
  readonly isLast: boolean;
  readonly before: LogEnd | undefined;
}

async function recoverSegment(recovery: SegmentRecovery): Promise<LogEnd> {
  const { options, replay, sequence, isLast, before } = recovery;
  const path = segmentPath(options.directory, sequence);
  if (before !== undefined && sequence !== before.segment + 1)
    throw damaged(path, `segment ${before.segment + 1} is missing`);
  const bytes = await options.disk.readFile(path);
  const header = checkHeader(decodeSegmentHeader(bytes), path, recovery);
  const salt = recordSalt(options.identity.incarnation);
  const scan = scanSegment(bytes, { previousChain: header.previousChain, salt, isLast });
  if (scan.fault?.kind === "corrupt") throw damaged(path, `${scan.fault.reason} at byte ${scan.fault.offset}`);
  for (const record of scan.records) {
    const fault = replayRecord(replay, record, sequence);
    if (fault !== undefined) throw damaged(path, `${fault} at byte ${record.offset}`);
  }
  if (isLast) await settleTail(options, path, { ...scan, sizeBytes: bytes.length });
  return { segment: sequence, offset: scan.endOffset, chain: scan.chain, isSegmentEmpty: scan.records.length === 0 };
}

function replayRecord(replay: Replay, record: ScannedRecord, segment: number): string | undefined {
  // A copy, so that entries kept in memory do not keep the whole segment there.
  const change = decodeChange(Uint8Array.from(record.body), record.header);
  if (change === undefined) return "a body that cannot be read";
  return replay.take(change, { segment, offset: record.offset, bytes: recordBytes(record.header.bodyBytes) });
}

function checkHeader(header: SegmentHeader | undefined, path: string, recovery: SegmentRecovery): SegmentHeader {
  const { options, sequence, before } = recovery;
  if (header === undefined || header.sequence !== sequence) throw damaged(path, "its header is not sound");
  if (!isSameIdentity(header.identity, options.identity)) throw damaged(path, "it belongs to another log");
  const chain = before?.chain ?? (sequence === 1 ? new Uint8Array(chainBytes) : header.previousChain);
  if (!equalBytes(chain, header.previousChain)) throw damaged(path, "it does not continue the segment before it");
  return header;
}

/**
 * Cuts off a torn tail, and syncs what stays: after the death of a process alone, what it had written but not synced is
 * still readable, and from here on it counts as durable.
 */
async function settleTail(
  options: RecoveryOptions,
  path: string,
  scan: SegmentScan & { readonly sizeBytes: number },
): Promise<void> {
  const file = await options.disk.open(path, "readWrite");
  try {
    if (scan.fault !== undefined) {
      const fields = {
        path,
        keptBytes: scan.endOffset,
        cutBytes: scan.sizeBytes - scan.endOffset,
        reason: scan.fault.reason,
      };
      options.logger.warn("raft.log_tail_repaired", fields);
      await file.truncate(scan.endOffset);
    }
    await file.syncData();
    await options.disk.syncDirectory(options.directory);
  } finally {
    await file.close();
  }
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
