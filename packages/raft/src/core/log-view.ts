import { assert, isPlanted } from "@holdfast/base";
import type { DurableState } from "./config.ts";
import { emptyMembership, type Entry, type EntryId, type SnapshotMeta, type TermRun } from "./entries.ts";
import { EntryWindow } from "./entry-window.ts";
import { without, type IndexRanges } from "./index-ranges.ts";
import { compactRuns, extendRuns, fillRuns, runOf, truncateRuns, unknownTerm } from "./term-runs.ts";
import { nobody, type LogIndex, type Term } from "./types.ts";

/** A stretch of the log to read. */
export interface ReadRange {
  readonly fromIndex: LogIndex;
  readonly toIndex: LogIndex;
  readonly bytesMax: number;
}

/** Entries that the disk had lost, on their way back to it. */
export interface LogRepair {
  readonly entries: readonly Entry[];
  /** The order by which they are written; undefined: not given yet. */
  readonly token: number | undefined;
}

/** What is still to be written of a repair when the log is cut off from `from` on; what the disk has been told stays told. */
function cutRepair(repair: LogRepair, from: LogIndex): readonly LogRepair[] {
  if (repair.token !== undefined) return [repair];
  const entries = repair.entries.filter((entry) => entry.index < from);
  return entries.length === 0 ? [] : [{ ...repair, entries }];
}

/**
 * The log as the core sees it (dissertation §3.5): terms of all retained entries as runs, the newest entries
 * themselves, and the cursors `start <= applied <= committed <= last`, `durable <= persisting <= last`.
 */
export class LogView {
  /** The last compacted entry or installed snapshot. */
  start: EntryId;
  /** Last entry. */
  lastIndex: LogIndex;
  /** Known to be committed. */
  committed: LogIndex;
  /** The state machine has it. */
  applied: LogIndex;
  /** Handed to the state machine. */
  applying: LogIndex;
  /** Known to be on disk here. */
  durable: LogIndex;
  /** Handed to the disk. */
  persisting: LogIndex;
  /** A received snapshot that is not known to be installed; while it waits nothing is applied. */
  pendingSnapshot: { readonly meta: SnapshotMeta; readonly isPersisting: boolean } | undefined;
  /** Entries that the disk lost and the leader has not given back; below `lastIndex`. */
  missing: IndexRanges;
  /** Entries given back that are not known to be on disk, in the order in which they came. */
  repairs: readonly LogRepair[] = [];
  /** Term of the last entry while that is missing itself. */
  readonly #lostTerm: Term;
  #runs: TermRun[];
  #window: EntryWindow;
  #configurationEntries: Entry[];

  constructor(boot: DurableState) {
    this.start = { term: boot.logStart.term, index: boot.logStart.index };
    this.lastIndex = boot.lastIndex;
    this.committed = Math.max(boot.hardState.commit, boot.appliedIndex, boot.logStart.index) as LogIndex;
    this.applied = boot.appliedIndex;
    this.applying = boot.appliedIndex;
    this.durable = boot.lastIndex;
    this.persisting = boot.lastIndex;
    this.missing = boot.missing?.ranges ?? [];
    this.#lostTerm = boot.missing?.lastTerm ?? unknownTerm;
    this.#runs = [...boot.termRuns];
    this.#window = new EntryWindow(boot.window, (boot.lastIndex + 1) as LogIndex);
    this.#configurationEntries = [...boot.configurationEntries];
    assert(this.applied >= this.start.index, "the state machine is not behind the log's start");
    assert(this.committed <= this.lastIndex, "what is committed is in the log");
    assert(this.#window.nextIndex === this.lastIndex + 1, "the window reaches the log's end");
  }

  /** First entry that is not compacted. */
  get firstIndex(): LogIndex {
    return (this.start.index + 1) as LogIndex;
  }

  /** Last entry, or the log's start. */
  get last(): EntryId {
    return { term: this.termAt(this.lastIndex) ?? this.#lostTerm, index: this.lastIndex };
  }

  /** Every entry is here and, if it was lost once, on disk again. */
  get isWhole(): boolean {
    return this.missing.length === 0 && this.repairs.length === 0;
  }

  /** Whether something is not known to be on disk. */
  get hasUndurable(): boolean {
    return this.durable < this.lastIndex;
  }

  /** Term of an entry, or of the log's start; undefined when compacted or not there. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.start.index) return this.start.term;
    if (index < this.start.index || index > this.lastIndex) return undefined;
    const term = runOf(this.#runs, index)?.term;
    return term === unknownTerm ? undefined : term;
  }

  /** Whether the log holds this very entry (as far as it still knows). */
  holds(id: EntryId): boolean {
    return this.termAt(id.index) === id.term;
  }

  /** Whether a log that ends with `last` is at least as good as this one (§3.6.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.last;
    if (isPlanted("longerLogWins")) return last.index >= own.index;
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /**
   * The highest index up to `index` whose term is at most `term`: where a log with that term there may agree. Term 0:
   * unknown (compacted or beyond the end), it may agree.
   */
  findAgreement(index: LogIndex, term: Term): EntryId {
    let at = index;
    while (at > 0) {
      const own = this.termAt(at);
      if (own === undefined) return { term: 0 as Term, index: at };
      if (own <= term) return { term: own, index: at };
      const runStart = at === this.start.index ? at : (runOf(this.#runs, at)?.firstIndex ?? at);
      at = (runStart - 1) as LogIndex;
    }
    return { term: 0 as Term, index: 0 as LogIndex };
  }

  /** First of these contiguous entries that this log does not hold; undefined: it holds all. */
  findNew(entries: readonly Entry[]): Entry | undefined {
    return entries.find((entry) => !this.holds(entry));
  }

  /** Writes contiguous entries, cutting off what stands from the first one's index on. Never cuts into what is committed. */
  write(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.committed, "committed entries stay");
    assert(first.index <= this.lastIndex + 1, "the log has no gaps");
    const kept = (first.index - 1) as LogIndex;
    if (kept < this.lastIndex) this.#truncateAfter(kept);
    for (const entry of entries) {
      this.#window.push(entry);
      if (entry.payload.kind === "configuration") this.#configurationEntries.push(entry);
    }
    extendRuns(this.#runs, entries);
    this.lastIndex = (kept + entries.length) as LogIndex;
  }

  #truncateAfter(kept: LogIndex): void {
    const from = (kept + 1) as LogIndex;
    this.#window.truncateFrom(from);
    truncateRuns(this.#runs, from);
    this.#configurationEntries = this.#configurationEntries.filter((entry) => entry.index <= kept);
    this.missing = without(this.missing, { from, to: Number.MAX_SAFE_INTEGER });
    this.repairs = this.repairs.flatMap((repair) => cutRepair(repair, from));
    this.durable = Math.min(this.durable, kept) as LogIndex;
    this.persisting = Math.min(this.persisting, kept) as LogIndex;
    this.lastIndex = kept;
  }

  /** Missing entries are known again; everything else stays as it is. Their write is a repair of its own. */
  fill(entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries[entries.length - 1];
    if (first === undefined || last === undefined) return;
    this.missing = without(this.missing, { from: first.index, to: last.index });
    this.#runs = fillRuns(this.#runs, entries, this.lastIndex);
    const found = entries.filter((entry) => entry.payload.kind === "configuration");
    if (found.length > 0)
      this.#configurationEntries = [...this.#configurationEntries, ...found].sort((a, b) => a.index - b.index);
    this.repairs = [...this.repairs, { entries, token: undefined }];
  }

  /** Entries of the range, ended by the size limit but at least one; undefined: they must be fetched. */
  read(range: ReadRange): readonly Entry[] | undefined {
    return this.#window.read(range);
  }

  /** First entry in memory. */
  get windowStart(): LogIndex {
    return this.#window.firstIndex;
  }

  /** Bytes of entries in memory. */
  get windowBytes(): number {
    return this.#window.bytes;
  }

  /** Configuration entries of the retained log with `after < index <= through`. */
  configurationEntries(after: LogIndex, through: LogIndex): readonly Entry[] {
    return this.#configurationEntries.filter((entry) => entry.index > after && entry.index <= through);
  }

  /** `id` is on disk. Ignored when the log holds another entry there by now. */
  markDurable(id: EntryId): void {
    if (id.index <= this.durable || id.index > this.lastIndex) return;
    if (!this.holds(id) && !isPlanted("overwrittenWriteCounts")) return;
    this.durable = id.index;
    this.persisting = Math.max(this.persisting, id.index) as LogIndex;
  }

  /** Replaces everything by a snapshot that is newer than what is committed. */
  restore(meta: SnapshotMeta): void {
    assert(meta.index > this.committed || !this.isWhole, "a snapshot only moves forward");
    this.missing = [];
    this.repairs = [];
    this.start = { term: meta.term, index: meta.index };
    this.lastIndex = meta.index;
    this.committed = meta.index;
    this.durable = meta.index;
    this.persisting = meta.index;
    this.#runs = [];
    this.#window.restart((meta.index + 1) as LogIndex);
    this.#configurationEntries = [];
    this.pendingSnapshot = { meta, isPersisting: false };
  }

  /** Forgets everything up to an applied index. */
  compact(through: EntryId): void {
    assert(through.index <= this.applied, "only what is applied is compacted");
    this.start = { term: through.term, index: through.index };
    compactRuns(this.#runs, this.firstIndex, this.lastIndex);
    this.#window.dropThrough(through.index);
    this.#configurationEntries = this.#configurationEntries.filter((entry) => entry.index > through.index);
  }

  /** Forgets the oldest durable entries beyond the size limit. */
  shrinkWindow(bytesMax: number): void {
    this.#window.shrink(bytesMax, this.durable);
  }

  /** Terms of the retained log. */
  runs(): readonly TermRun[] {
    return this.#runs;
  }

  /** Entries in memory. */
  windowEntries(): readonly Entry[] {
    return this.#window.list();
  }

  /** An equal, independent one. */
  clone(): LogView {
    const copy = new LogView({
      hardState: { term: 0 as Term, vote: nobody, commit: this.committed },
      logStart: { ...this.start, membership: emptyMembership },
      termRuns: this.#runs,
      lastIndex: this.lastIndex,
      configurationEntries: this.#configurationEntries,
      window: this.#window.list(),
      missing: { ranges: this.missing, lastTerm: this.#lostTerm },
      appliedIndex: Math.max(this.applied, this.start.index) as LogIndex,
    });
    copy.#window = this.#window.clone();
    copy.applied = this.applied;
    copy.applying = this.applying;
    copy.durable = this.durable;
    copy.persisting = this.persisting;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.repairs = this.repairs;
    return copy;
  }
}
