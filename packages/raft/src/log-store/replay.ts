import { isPlanted } from "@holdfast/base";
import { entryBytes, type Entry, type HardState, type SnapshotMeta, type TermRun } from "../core/entries.ts";
import { addedBehind, common, without, type IndexRanges } from "../core/index-ranges.ts";
import { fillRuns, runOf, truncateRuns, unknownTerm } from "../core/term-runs.ts";
import { nobody, type LogIndex, type Term } from "../core/types.ts";
import type { RecordedChange } from "./change-codec.ts";
import { LogMap, type LogRun } from "./log-map.ts";
import type { LogBoot } from "./log-store.ts";

/** Where a record lies. */
export type RecordPlace = Pick<LogRun, "segment" | "offset" | "bytes">;

/** What the header of a record says of the log before and after it. */
export interface RecordOutline {
  /** Index of its first entry, or of the next one to come when it has none. */
  readonly firstIndex: number;
  /** Term of the log's last entry after it. */
  readonly lastTerm: number;
}

/** Folds the changes of a log, oldest first, into what a core boots from. */
export class Replay {
  readonly map = new LogMap();
  readonly #windowBytesMax: number;
  #hardState: HardState = { term: 0 as Term, vote: nobody, commit: 0 as LogIndex };
  #start: SnapshotMeta;
  #lastIndex: LogIndex;
  /** Term of the last entry if that is missing. */
  #lostTerm = unknownTerm;
  #missing: IndexRanges = [];
  #termRuns: TermRun[] = [];
  #configurations: Entry[] = [];
  #window: Entry[] = [];
  #windowBytes = 0;
  #intent: SnapshotMeta | undefined;
  #promises: Uint8Array | undefined;
  #isDecided = false;

  constructor(founding: SnapshotMeta, windowBytesMax: number) {
    this.#start = founding;
    this.#lastIndex = founding.index;
    this.#windowBytesMax = windowBytesMax;
  }

  /** The snapshot that was last about to be installed and is not the log's start (yet). */
  get intent(): SnapshotMeta | undefined {
    return this.#intent;
  }

  /** What other members had promised, as last stored. */
  get promises(): Uint8Array | undefined {
    return this.#promises;
  }

  /** Whether this node knows if it founds a group or joins one; a directory that was only made does not. */
  get isDecided(): boolean {
    return this.#isDecided || this.#hardState.term > 0 || this.#lastIndex > 0;
  }

  /** Takes the next change; `place` says where its entries are. Returns what is wrong with it, if anything. */
  take(change: RecordedChange, place: RecordPlace): string | undefined {
    if (change.intent !== undefined) this.#intent = change.intent;
    if (change.promises !== undefined) this.#promises = change.promises;
    if (change.start !== undefined) {
      this.#begin(change.start.meta, change.start.entries === "drop");
      if (change.start.entries === "drop") this.#isDecided = true;
      if (change.start.meta.index >= (this.#intent?.index ?? 0)) this.#intent = undefined;
    }
    const fault = change.isRepair === true ? this.#fill(change.entries, place) : this.#append(change.entries, place);
    if (fault !== undefined) return fault;
    if (change.hardState !== undefined) this.#hardState = change.hardState;
    return undefined;
  }

  /**
   * Records before this one are lost; what it says is what is known next. Whatever they may have replaced counts as
   * missing, so that what stays is the log as it was. Returns why that cannot be known, if it cannot.
   */
  resume(change: RecordedChange, outline: RecordOutline): string | undefined {
    if (change.hardState === undefined) return "nobody knows the vote behind the damage";
    if (change.start?.entries === "drop") return undefined;
    const base = (outline.firstIndex - 1) as LogIndex;
    const known = change.entries[0] ?? { index: base, term: outline.lastTerm };
    if (change.isRepair === true || known.term === 0) return "nobody knows the log's end behind the damage";
    if (this.#lastIndex === 0) return "nobody knows what the log began with";
    if (base < this.#start.index) return "the log's end lies before its start";
    const kept = this.#isSameLog(known) ? Math.min(this.#lastIndex, base) : this.#certainThrough(base);
    this.#cutFrom(kept + 1);
    this.#lose(base, outline.lastTerm);
    return undefined;
  }

  /**
   * Whether the log that led to the lost records is the one that goes on behind them (Log Matching, §3.5): they share an
   * entry, or the known one behind is of the same leader as the last one before.
   */
  #isSameLog(known: { readonly index: number; readonly term: number }): boolean {
    const shared = Math.min(known.index, this.#lastIndex) as LogIndex;
    return this.#termAt(shared) === known.term;
  }

  /** What is committed is never replaced. */
  #certainThrough(base: number): number {
    return Math.max(this.#start.index, Math.min(this.#hardState.commit, this.#lastIndex, base));
  }

  #termAt(index: LogIndex): Term {
    if (index <= this.#start.index) return index === this.#start.index ? this.#start.term : unknownTerm;
    const term = runOf(this.#termRuns, index)?.term ?? unknownTerm;
    return term === unknownTerm && index === this.#lastIndex ? this.#lostTerm : term;
  }

  #lose(through: LogIndex, lastTerm: number): void {
    const from = (this.#lastIndex + 1) as LogIndex;
    this.#lostTerm = lastTerm as Term;
    if (from > through) return;
    this.#missing = addedBehind(this.#missing, { from, to: through });
    if (this.#termRuns.at(-1)?.term !== unknownTerm) this.#termRuns.push({ term: unknownTerm, firstIndex: from });
    this.#lastIndex = through;
    this.#window = [];
    this.#windowBytes = 0;
  }

  #append(entries: readonly Entry[], place: RecordPlace): string | undefined {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return undefined;
    if (first.index > this.#lastIndex + 1 && (this.map.lastIndex !== undefined || this.#missing.length > 0))
      return `entry ${first.index} does not follow the entry before it`;
    this.#cutFrom(first.index);
    this.map.append({ ...place, firstIndex: first.index, lastIndex: last.index });
    this.#lastIndex = last.index;
    for (const entry of entries) this.#add(entry);
    this.#trimWindow(2 * this.#windowBytesMax);
    return undefined;
  }

  /** Only what is missing: of everything else, the same is here. */
  #fill(entries: readonly Entry[], place: RecordPlace): undefined {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    for (const { from, to } of common(this.#missing, { from: first.index, to: last.index })) {
      this.map.fill({ ...place, firstIndex: from, lastIndex: to });
      const filled = entries.slice(from - first.index, to - first.index + 1);
      this.#termRuns = fillRuns(this.#termRuns, filled, this.#lastIndex);
      const found = filled.filter((entry) => entry.payload.kind === "configuration");
      this.#configurations = [...this.#configurations, ...found].sort((left, right) => left.index - right.index);
    }
    this.#missing = without(this.#missing, { from: first.index, to: last.index });
  }

  /** The outcome, or what is wrong with the whole. */
  finish(): LogBoot | string {
    const firstIndex = Math.min(this.map.firstIndex ?? Infinity, this.#missing[0]?.from ?? Infinity);
    if (Number.isFinite(firstIndex) && firstIndex > this.#start.index + 1) {
      return `the log begins at entry ${firstIndex}, but the entries after ${this.#start.index} are needed`;
    }
    this.#begin(this.#start, false);
    this.#trimWindow(this.#windowBytesMax);
    if (isPlanted("logCutAtDamage")) this.#cutFrom(this.#missing[0]?.from ?? Infinity);
    const lastIndex = this.#lastIndex;
    const missing = { ranges: this.#missing, lastTerm: this.#lostTerm };
    return {
      hardState: { ...this.#hardState, commit: Math.min(this.#hardState.commit, lastIndex) as LogIndex },
      logStart: this.#start,
      termRuns: this.#termRuns,
      lastIndex,
      configurationEntries: this.#configurations,
      window: this.#window.slice(),
      ...(this.#missing.length === 0 ? {} : { missing }),
    };
  }

  #begin(meta: SnapshotMeta, isDroppingEntries: boolean): void {
    this.#start = meta;
    if (isDroppingEntries) {
      this.#cutFrom(0);
      this.#lastIndex = meta.index;
    }
    this.#lastIndex = Math.max(this.#lastIndex, meta.index) as LogIndex;
    this.map.cutThrough(meta.index);
    this.#missing = without(this.#missing, { from: 0, to: meta.index });
    this.#configurations = this.#configurations.filter((entry) => entry.index > meta.index);
    this.#window = this.#window.filter((entry) => entry.index > meta.index);
    this.#windowBytes = this.#window.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const first = meta.index + 1;
    const later = this.#termRuns.filter((run) => run.firstIndex > first);
    const atStart = this.#termRuns.findLast((run) => run.firstIndex <= first);
    const hasEntries = this.#lastIndex >= first;
    this.#termRuns =
      atStart === undefined || !hasEntries ? later : [{ term: atStart.term, firstIndex: first as LogIndex }, ...later];
  }

  #cutFrom(index: number): void {
    this.map.cutFrom(index);
    this.#missing = without(this.#missing, { from: index, to: Number.MAX_SAFE_INTEGER });
    this.#lastIndex = Math.min(this.#lastIndex, Math.max(index - 1, 0)) as LogIndex;
    truncateRuns(this.#termRuns, index as LogIndex);
    while ((this.#configurations.at(-1)?.index ?? -1) >= index) this.#configurations.pop();
    for (let last = this.#window.at(-1); last !== undefined && last.index >= index; last = this.#window.at(-1)) {
      this.#windowBytes -= entryBytes(last);
      this.#window.pop();
    }
  }

  #add(entry: Entry): void {
    if (this.#termRuns.at(-1)?.term !== entry.term) this.#termRuns.push({ term: entry.term, firstIndex: entry.index });
    if (entry.payload.kind === "configuration") this.#configurations.push(entry);
    this.#window.push(entry);
    this.#windowBytes += entryBytes(entry);
  }

  #trimWindow(bytesMax: number): void {
    if (this.#windowBytes <= bytesMax) return;
    let drop = 0;
    while (this.#windowBytes > this.#windowBytesMax) {
      const entry = this.#window[drop++];
      if (entry === undefined) break;
      this.#windowBytes -= entryBytes(entry);
    }
    this.#window = this.#window.slice(drop);
  }
}
