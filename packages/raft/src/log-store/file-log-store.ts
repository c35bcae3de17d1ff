import { HoldfastError, isHoldfastError, isPlanted } from "@holdfast/base";
import type { Clock, Disk } from "@holdfast/runtime";
import type { Entry, HardState, SnapshotMeta } from "../core/entries.ts";
import { entryBytes } from "../core/entries.ts";
import { decodeChange, encodeChange, type RecordedChange } from "./change-codec.ts";
import type { LogMap, LogRun } from "./log-map.ts";
import type { LogBoot, LogChange, LogRange, LogStore } from "./log-store.ts";
import { tipAfter, tipAtBoot, type LogTip } from "./log-tip.ts";
import { placeOf, readRecordBody, readRecordHeader, recordSalt, recordTypes, sealRecord } from "./record.ts";
import type { LogEnd, RecoveredLog } from "./recover.ts";
import { createSegment, SegmentFiles } from "./segment-files.ts";
import { segmentHeaderBytes, type LogIdentity } from "./segment-header.ts";
import { splitChange } from "./split-change.ts";

/** What a file log store is made of; see `openFileLogStore`. */
export interface FileLogStoreParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly directory: string;
  readonly identity: LogIdentity;
  readonly segmentBytesMax: number;
  readonly recovered: RecoveredLog;
  /** Told after each write and sync. */
  readonly onSynced?: (sync: { readonly durationMs: number; readonly changes: number; readonly bytes: number }) => void;
  /** Gives the folder back to other processes. */
  readonly unlock: () => Promise<void>;
}

interface QueuedChange {
  readonly changes: readonly RecordedChange[];
  readonly mustSync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: HoldfastError) => void;
}

/** The log as segments of a folder: docs/formats/raft-log.md. */
export class FileLogStore implements LogStore {
  readonly boot: LogBoot;
  readonly intent: SnapshotMeta | undefined;
  readonly #parts: FileLogStoreParts;
  readonly #files: SegmentFiles;
  readonly #map: LogMap;
  readonly #salt: number;
  #segments: readonly number[];
  #end: LogEnd;
  #start: SnapshotMeta;
  #hardState: HardState;
  #promises: Uint8Array | undefined;
  /** What the log ends with. */
  #tip: LogTip;
  /** Nothing that matters was written after the last record that says what is durable. */
  #isMarked = false;
  #writes = 0;
  #writesAtMark = -1;
  #queue: QueuedChange[] = [];
  #running: Promise<void> | undefined;
  #failure: HoldfastError | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: FileLogStoreParts) {
    this.#parts = parts;
    this.boot = parts.recovered.boot;
    this.intent = parts.recovered.intent;
    this.#promises = parts.recovered.promises;
    this.#files = new SegmentFiles(parts.disk, parts.directory);
    this.#map = parts.recovered.map;
    this.#salt = recordSalt(parts.identity.incarnation);
    this.#segments = parts.recovered.segments;
    this.#end = parts.recovered.end;
    this.#start = this.boot.logStart;
    this.#hardState = this.boot.hardState;
    this.#tip = tipAtBoot(this.boot);
  }

  get promises(): Uint8Array | undefined {
    return this.#promises;
  }

  append(change: LogChange): Promise<void> {
    return this.#enqueue(recordsOf(change), change.mustSync);
  }

  async read(range: LogRange): Promise<readonly Entry[] | "compacted"> {
    if (this.#failure !== undefined) throw this.#failure;
    const entries: Entry[] = [];
    let bytes = 0;
    for (
      let index: number = range.fromIndex;
      index <= range.toIndex && (entries.length === 0 || bytes < range.bytesMax);
    ) {
      const run = index <= this.#start.index ? undefined : this.#map.find(index);
      if (run === undefined) return entries.length === 0 ? "compacted" : entries;
      const found = await this.#readRun(run);
      if (found === "compacted") return entries.length === 0 ? "compacted" : entries;
      for (const entry of found) {
        if (entry.index < index || entry.index > run.lastIndex) continue;
        if (entry.index > range.toIndex || (entries.length > 0 && bytes >= range.bytesMax)) break;
        entries.push(entry);
        bytes += entryBytes(entry);
      }
      index = run.lastIndex + 1;
    }
    return entries;
  }

  intend(snapshot: SnapshotMeta): Promise<void> {
    return this.#enqueue([{ entries: [], intent: snapshot }], true);
  }

  async compact(start: SnapshotMeta): Promise<void> {
    if (start.index <= this.#start.index) return;
    await this.#enqueue([{ entries: [], start: { meta: start, entries: "keep" } }], true);
    await this.#removeOldSegments();
  }

  async mark(): Promise<void> {
    const isIdle = this.#writes === this.#writesAtMark;
    this.#writesAtMark = this.#writes;
    if (isIdle && !this.#isMarked && this.#running === undefined) await this.#enqueue([{ entries: [] }], true);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #enqueue(changes: readonly RecordedChange[], mustSync: boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined)
      return Promise.reject(new HoldfastError("precondition", `the log ${this.#parts.directory} was closed`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, mustSync, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Everything that gathered while one sync ran is written in one go and covered by the next sync. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#commit(group);
        for (const queued of group) queued.resolve();
      } catch (error) {
        this.#failure ??= toFailure(error, this.#parts.directory);
        for (const queued of group) queued.reject(this.#failure);
      }
    }
    this.#running = undefined;
  }

  async #commit(group: readonly QueuedChange[]): Promise<void> {
    const changes = group.flatMap((queued) => queued.changes);
    if (group.some(({ mustSync }) => mustSync) || changes.some(isOfTheLog)) {
      await this.#write(changes);
      return;
    }
    // Only hints (a commit index): they ride with the next change that needs a sync.
    for (const change of changes) this.#hardState = change.hardState ?? this.#hardState;
  }

  async #write(changes: readonly RecordedChange[]): Promise<void> {
    const startedMs = this.#parts.clock.monotonicMs();
    if (this.#end.offset >= this.#parts.segmentBytesMax) await this.#roll();
    const opening: RecordedChange[] = this.#end.isSegmentEmpty
      ? [{ entries: [], start: { meta: this.#start, entries: "keep" }, ...ifThere(this.#promises) }]
      : [];
    const parts: Uint8Array[] = [];
    const runs: { readonly change: RecordedChange; readonly offset: number; readonly bytes: number }[] = [];
    const syncedBytes = this.#end.offset;
    let { offset, chain } = this.#end;
    let hardState = this.#hardState;
    let tip = this.#tip;
    for (const change of [...opening, ...changes].flatMap(splitChange)) {
      // Every record says what the whole came to, so that one behind damage tells what was lost there.
      hardState = change.hardState ?? hardState;
      tip = tipAfter(tip, change);
      const { record, bodyBytes } = encodeChange({ ...change, hardState });
      chain = sealRecord(record, bodyBytes, {
        salt: this.#salt,
        type: recordTypes.change,
        firstIndex: change.entries[0]?.index ?? tip.index + 1,
        entryCount: change.entries.length,
        lastTerm: tip.term,
        place: placeOf(this.#end.segment, offset),
        syncedBytes,
        previousChain: chain,
      });
      parts.push(record);
      runs.push({ change, offset, bytes: record.length });
      offset += record.length;
    }
    const file = await this.#files.get(this.#end.segment);
    if (isPlanted("logNotSynced")) await file.writeParts(parts, syncedBytes);
    else await file.writePartsDurably(parts, syncedBytes);
    this.#end = { segment: this.#end.segment, offset, chain, isSegmentEmpty: false };
    this.#tip = tip;
    this.#writes++;
    this.#isMarked = !changes.some(matters);
    for (const run of runs)
      this.#note(run.change, { segment: this.#end.segment, offset: run.offset, bytes: run.bytes });
    this.#parts.onSynced?.({
      durationMs: this.#parts.clock.monotonicMs() - startedMs,
      changes: changes.length,
      bytes: offset - syncedBytes,
    });
  }

  #note(change: RecordedChange, place: Pick<LogRun, "segment" | "offset" | "bytes">): void {
    if (change.start !== undefined) {
      this.#start = change.start.meta;
      if (change.start.entries === "drop") this.#map.clear();
      this.#map.cutThrough(this.#start.index);
    }
    const first = change.entries[0];
    if (first !== undefined) {
      const run = { ...place, firstIndex: first.index, lastIndex: first.index + change.entries.length - 1 };
      if (change.isRepair === true) this.#map.fill(run);
      else this.#map.append(run);
    }
    this.#hardState = change.hardState ?? this.#hardState;
    this.#promises = change.promises ?? this.#promises;
  }

  async #roll(): Promise<void> {
    const { disk, directory, identity } = this.#parts;
    const sequence = this.#end.segment + 1;
    const nextIndex = this.#tip.index + 1;
    const file = await createSegment(disk, directory, {
      identity,
      sequence,
      nextIndex,
      previousChain: this.#end.chain,
    });
    this.#files.adopt(sequence, file);
    this.#segments = [...this.#segments, sequence];
    this.#end = { segment: sequence, offset: segmentHeaderBytes, chain: this.#end.chain, isSegmentEmpty: true };
  }

  async #removeOldSegments(): Promise<void> {
    const firstNeeded = this.#map.firstSegment ?? this.#end.segment;
    const old = this.#segments.filter((sequence) => sequence < firstNeeded);
    if (old.length === 0) return;
    this.#segments = this.#segments.filter((sequence) => sequence >= firstNeeded);
    for (const sequence of old) await this.#files.remove(sequence);
    await this.#parts.disk.syncDirectory(this.#parts.directory);
  }

  async #readRun(run: LogRun): Promise<readonly Entry[] | "compacted"> {
    const bytes = await this.#readBytes(run);
    if (bytes === "compacted") return bytes;
    const header = readRecordHeader(bytes, 0, this.#salt);
    const body = header === undefined ? undefined : readRecordBody(bytes, 0, header);
    const change = header === undefined || body === undefined ? undefined : decodeChange(body, header);
    const first = change?.entries[0]?.index ?? Infinity;
    if (change !== undefined && first <= run.firstIndex && first + change.entries.length > run.lastIndex)
      return change.entries;
    throw new HoldfastError(
      "dataLoss",
      `the log is damaged: segment ${run.segment} at byte ${run.offset} no longer holds entry ${run.firstIndex}. Nothing was changed; the other masters hold the same log`,
    );
  }

  async #readBytes(run: LogRun): Promise<Uint8Array | "compacted"> {
    try {
      return await (await this.#files.get(run.segment)).read(run.offset, run.bytes);
    } catch (error) {
      // The segment may have been removed while it was read.
      if (run.lastIndex <= this.#start.index) return "compacted";
      throw error;
    }
  }

  /** The last record says that all before it was synced, so that later damage there is told from a torn write. */
  async #close(): Promise<void> {
    await this.#running;
    try {
      if (this.#failure === undefined) await this.#write([{ entries: [] }]);
    } finally {
      await this.#files.close();
      await this.#parts.unlock();
    }
  }
}

/** The records of one step: what was lost goes back to its places first. */
function recordsOf(change: LogChange): readonly RecordedChange[] {
  const { append: entries, repair = [], hardState, snapshot } = change;
  const common = hardState === undefined ? {} : { hardState };
  const main: RecordedChange = {
    ...{ entries, ...common, ...ifThere(change.promises) },
    ...(snapshot === undefined ? {} : { start: { meta: snapshot, entries: "drop" } }),
  };
  return repair.length === 0 ? [main] : [{ entries: repair, isRepair: true, ...common }, main];
}

function ifThere(promises: Uint8Array | undefined): { readonly promises?: Uint8Array } {
  return promises === undefined ? {} : { promises };
}

/** Whether it would be missed if it were damaged. Promises are not: only what they would find out. */
function matters(change: RecordedChange): boolean {
  return isOfTheLog(change) || change.hardState !== undefined || change.intent !== undefined;
}

function isOfTheLog({ start, entries }: RecordedChange): boolean {
  return start !== undefined || entries.length > 0;
}

function toFailure(error: unknown, directory: string): HoldfastError {
  if (!isHoldfastError(error)) throw error;
  const kind = error.kind === "noSpace" ? "noSpace" : "diskFailed";
  return new HoldfastError(
    kind,
    `the log ${directory} could not be written; what was acknowledged before is safe on the other masters. ${error.message}`,
    { cause: error },
  );
}
