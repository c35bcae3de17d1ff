import { entryBytes, type Entry, type HardState, type SnapshotMeta, type TermRun } from "../core/entries.ts";
import { nobody, type LogIndex, type Term } from "../core/types.ts";
import type { RecordedChange } from "./change-codec.ts";
import { LogMap, type LogRun } from "./log-map.ts";
import type { LogBoot } from "./log-store.ts";

/** Folds the changes of a log, oldest first, into what a core boots from. */
export class Replay {
  readonly map = new LogMap();
  readonly #windowBytesMax: number;
  #hardState: HardState = { term: 0 as Term, vote: nobody, commit: 0 as LogIndex };
  #start: SnapshotMeta;
  #termRuns: TermRun[] = [];
  #configurations: Entry[] = [];
  #window: Entry[] = [];
  #windowBytes = 0;
  #intent: SnapshotMeta | undefined;
  #isDecided = false;

  constructor(founding: SnapshotMeta, windowBytesMax: number) {
    this.#start = founding;
    this.#windowBytesMax = windowBytesMax;
  }

  /** The snapshot that was last about to be installed and is not the log's start (yet). */
  get intent(): SnapshotMeta | undefined {
    return this.#intent;
  }

  /** Whether this node knows if it founds a group or joins one; a directory that was only made does not. */
  get isDecided(): boolean {
    return this.#isDecided || this.#hardState.term > 0 || (this.map.lastIndex ?? this.#start.index) > 0;
  }

  /** Takes the next change; `place` says where its entries are. Returns what is wrong with it, if anything. */
  take(change: RecordedChange, place: Pick<LogRun, "segment" | "offset" | "bytes">): string | undefined {
    if (change.intent !== undefined) this.#intent = change.intent;
    if (change.start !== undefined) {
      this.#begin(change.start.meta, change.start.entries === "drop");
      if (change.start.entries === "drop") this.#isDecided = true;
      if (change.start.meta.index >= (this.#intent?.index ?? 0)) this.#intent = undefined;
    }
    const first = change.entries[0];
    const last = change.entries.at(-1);
    if (first !== undefined && last !== undefined) {
      this.#cutFrom(first.index);
      const run = { ...place, firstIndex: first.index, lastIndex: last.index };
      if (!this.map.append(run)) return `entry ${first.index} does not follow the entry before it`;
      for (const entry of change.entries) this.#add(entry);
      this.#trimWindow(2 * this.#windowBytesMax);
    }
    if (change.hardState !== undefined) this.#hardState = change.hardState;
    return undefined;
  }

  /** The outcome, or what is wrong with the whole. */
  finish(): LogBoot | string {
    const firstIndex = this.map.firstIndex;
    if (firstIndex !== undefined && firstIndex > this.#start.index + 1) {
      return `the log begins at entry ${firstIndex}, but the entries after ${this.#start.index} are needed`;
    }
    this.#begin(this.#start, false);
    this.#trimWindow(this.#windowBytesMax);
    const lastIndex = (this.map.lastIndex ?? this.#start.index) as LogIndex;
    return {
      hardState: { ...this.#hardState, commit: Math.min(this.#hardState.commit, lastIndex) as LogIndex },
      logStart: this.#start,
      termRuns: this.#termRuns,
      lastIndex,
      configurationEntries: this.#configurations,
      window: this.#window.slice(),
    };
  }

  #begin(meta: SnapshotMeta, isDroppingEntries: boolean): void {
    this.#start = meta;
    if (isDroppingEntries) this.#cutFrom(0);
    this.map.cutThrough(meta.index);
    this.#configurations = this.#configurations.filter((entry) => entry.index > meta.index);
    this.#window = this.#window.filter((entry) => entry.index > meta.index);
    this.#windowBytes = this.#window.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const first = meta.index + 1;
    const later = this.#termRuns.filter((run) => run.firstIndex > first);
    const atStart = this.#termRuns.findLast((run) => run.firstIndex <= first);
    const hasEntries = (this.map.lastIndex ?? 0) >= first;
    this.#termRuns =
      atStart === undefined || !hasEntries ? later : [{ term: atStart.term, firstIndex: first as LogIndex }, ...later];
  }

  #cutFrom(index: number): void {
    this.map.cutFrom(index);
    while ((this.#termRuns.at(-1)?.firstIndex ?? -1) >= index) this.#termRuns.pop();
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
