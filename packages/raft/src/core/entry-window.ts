import { assert } from "@holdfast/base";
import { entryBytes, type Entry } from "./entries.ts";
import type { LogIndex } from "./types.ts";

/** The newest entries of the log, contiguous, in memory. What is below lives in the log store only. */
export class EntryWindow {
  /** Slots before `#head` are dropped ones. */
  #slots: Entry[] = [];
  #head = 0;
  #bytes = 0;
  /** Index that the next entry has when the window is empty. */
  #emptyNext: LogIndex;

  constructor(entries: readonly Entry[], nextWhenEmpty: LogIndex) {
    this.#emptyNext = entries[0]?.index ?? nextWhenEmpty;
    for (const entry of entries) this.push(entry);
  }

  /** First index held; the next one to come when empty. */
  get firstIndex(): LogIndex {
    return this.#slots[this.#head]?.index ?? this.#emptyNext;
  }

  /** Index after the last one held. */
  get nextIndex(): LogIndex {
    return (this.firstIndex + this.count) as LogIndex;
  }

  get count(): number {
    return this.#slots.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The entry, if held. */
  at(index: LogIndex): Entry | undefined {
    if (index < this.firstIndex) return undefined;
    return this.#slots[this.#head + index - this.firstIndex];
  }

  /** Adds the next one. */
  push(entry: Entry): void {
    assert(entry.index === this.nextIndex, "the window grows without gaps");
    this.#slots.push(entry);
    this.#bytes += entryBytes(entry);
  }

  /**
   * Entries from `fromIndex` to `toIndex`, ended by the size limit but at least one; undefined when `fromIndex` is not
   * held any more.
   */
  read(range: {
    readonly fromIndex: LogIndex;
    readonly toIndex: LogIndex;
    readonly bytesMax: number;
  }): Entry[] | undefined {
    if (range.fromIndex < this.firstIndex) return undefined;
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = range.fromIndex; index <= range.toIndex; index++) {
      const entry = this.at(index);
      if (entry === undefined) break;
      if (Number.isFinite(range.bytesMax)) {
        bytes += entryBytes(entry);
        if (entries.length > 0 && bytes > range.bytesMax) break;
      }
      entries.push(entry);
    }
    return entries;
  }

  /** Cuts off from `fromIndex` on. Below the window: it becomes empty and goes on there. */
  truncateFrom(fromIndex: LogIndex): void {
    assert(fromIndex <= this.nextIndex, "truncation leaves no gap");
    if (fromIndex === this.nextIndex) return;
    const keep = Math.max(0, fromIndex - this.firstIndex);
    const first = this.firstIndex;
    for (const entry of this.#slots.splice(this.#head + keep)) this.#bytes -= entryBytes(entry);
    if (keep === 0) this.restart(Math.min(first, fromIndex) as LogIndex);
  }

  /** Empty, going on at `nextIndex`. */
  restart(nextIndex: LogIndex): void {
    this.#slots = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#emptyNext = nextIndex;
  }

  /** Forgets the oldest up to `index`. */
  dropThrough(index: LogIndex): void {
    while (this.count > 0 && this.firstIndex <= index) this.#dropFirst();
    if (this.count === 0 && this.#emptyNext <= index) this.restart((index + 1) as LogIndex);
  }

  /** Forgets the oldest, but none above `droppableThrough`, until at most `bytesMax` are held. */
  shrink(bytesMax: number, droppableThrough: LogIndex): void {
    while (this.#bytes > bytesMax && this.count > 0 && this.firstIndex <= droppableThrough) this.#dropFirst();
  }

  #dropFirst(): void {
    const entry = this.#slots[this.#head];
    if (entry === undefined) return;
    this.#bytes -= entryBytes(entry);
    this.#head++;
    this.#emptyNext = (entry.index + 1) as LogIndex;
    if (this.#head > 1024 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  /** An equal, independent one. */
  clone(): EntryWindow {
    const copy = new EntryWindow([], this.#emptyNext);
    copy.#slots = this.#slots.slice(this.#head);
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** All that is held. */
  list(): readonly Entry[] {
    return this.#slots.slice(this.#head);
  }
}
