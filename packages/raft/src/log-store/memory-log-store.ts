import { HoldfastError } from "@holdfast/base";
import { entryBytes, type Entry, type SnapshotMeta } from "../core/entries.ts";
import type { LogBoot, LogChange, LogRange, LogStore } from "./log-store.ts";
import { Replay } from "./replay.ts";
import type { RecordedChange } from "./change-codec.ts";

/** What a memory log keeps between openings; stands for the disk. */
export class MemoryLog {
  readonly changes: RecordedChange[] = [];
}

/** A log in memory, for tests: the same behaviour without a disk. Opening the same `MemoryLog` again is a restart. */
export class MemoryLogStore implements LogStore {
  readonly boot: LogBoot;
  readonly intent: SnapshotMeta | undefined;
  promises: Uint8Array | undefined;
  readonly #log: MemoryLog;
  #start: SnapshotMeta;
  #entries: Entry[];
  #isClosed = false;

  constructor(log: MemoryLog, founding: SnapshotMeta) {
    const replay = new Replay(founding, Number.MAX_SAFE_INTEGER);
    for (const change of log.changes) replay.take(change, { segment: 1, offset: 0, bytes: 0 });
    const boot = replay.finish();
    if (typeof boot === "string") throw new HoldfastError("dataLoss", boot);
    this.boot = boot;
    this.intent = replay.intent;
    this.promises = replay.promises;
    this.#log = log;
    this.#start = boot.logStart;
    this.#entries = [...boot.window];
  }

  async append(change: LogChange): Promise<void> {
    this.#mustBeOpen();
    if (change.snapshot !== undefined) {
      this.#start = change.snapshot;
      this.#entries = [];
    }
    const repair = change.repair ?? [];
    const repaired = new Set(repair.map(({ index }) => index));
    this.#entries = [...this.#entries.filter(({ index }) => !repaired.has(index)), ...repair].sort(
      (left, right) => left.index - right.index,
    );
    const first = change.append[0];
    if (first !== undefined)
      this.#entries = [...this.#entries.filter((entry) => entry.index < first.index), ...change.append];
    this.promises = change.promises ?? this.promises;
    if (repair.length > 0) this.#log.changes.push({ entries: repair, isRepair: true });
    this.#log.changes.push({
      entries: change.append,
      ...(change.hardState === undefined ? {} : { hardState: change.hardState }),
      ...(change.promises === undefined ? {} : { promises: change.promises }),
      ...(change.snapshot === undefined ? {} : { start: { meta: change.snapshot, entries: "drop" } }),
    });
  }

  async read(range: LogRange): Promise<readonly Entry[] | "compacted"> {
    const found = this.#entries.filter((entry) => entry.index >= range.fromIndex && entry.index <= range.toIndex);
    if (found[0]?.index !== range.fromIndex) return "compacted";
    let bytes = 0;
    const end = found.findIndex((entry) => (bytes += entryBytes(entry)) >= range.bytesMax);
    return end === -1 ? found : found.slice(0, end + 1);
  }

  async intend(snapshot: SnapshotMeta): Promise<void> {
    this.#mustBeOpen();
    this.#log.changes.push({ entries: [], intent: snapshot });
  }

  async compact(start: SnapshotMeta): Promise<void> {
    this.#mustBeOpen();
    if (start.index <= this.#start.index) return;
    this.#start = start;
    this.#entries = this.#entries.filter((entry) => entry.index > start.index);
    this.#log.changes.push({ entries: [], start: { meta: start, entries: "keep" } });
  }

  async mark(): Promise<void> {
    this.#mustBeOpen();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new HoldfastError("precondition", "the log was closed");
  }
}
