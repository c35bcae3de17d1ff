import { assert, must } from "@holdfast/base";
import type { Change } from "@holdfast/proto/master/v1/master";

/** What changed at one index. */
export interface FeedItem {
  readonly index: number;
  readonly atMs: number;
  readonly changes: readonly Change[];
}

/** What a watcher gets: changes in log order, or the word that it missed some and must read everything anew. */
export type FeedMessage =
  | { readonly kind: "changes"; readonly item: FeedItem }
  | { readonly kind: "reset"; readonly index: number; readonly atMs: number };

/** How much is kept for watchers that fall behind. */
export interface ChangeFeedLimits {
  readonly itemsMax: number;
  readonly changesMax: number;
}

/** Enough for several seconds of full load; a watcher that lags more reads anew. */
export const changeFeedLimits: ChangeFeedLimits = { itemsMax: 4096, changesMax: 32_768 };

/**
 * The last changes in memory, and watchers that read them at their own pace. A watcher is a cursor, not a queue: one
 * that is overtaken by the oldest kept item gets a reset, so slow readers cost nothing. Lives at leader and followers.
 */
export class ChangeFeed {
  readonly #limits: ChangeFeedLimits;
  /** Kept items behind some that were forgotten; the one at `#head` has sequence number `#firstSequence`. */
  #items: FeedItem[] = [];
  #head = 0;
  #firstSequence = 0;
  #changeCount = 0;
  /** Everything with a greater index that changed something is kept. */
  #floorIndex: number;
  #latest: { readonly index: number; readonly atMs: number };
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(appliedIndex: number, limits: ChangeFeedLimits = changeFeedLimits) {
    this.#floorIndex = appliedIndex;
    this.#latest = { index: appliedIndex, atMs: 0 };
    this.#limits = limits;
  }

  /** Adds what changed at the next index. Indexes grow; an item without changes only moves the index on. */
  publish(item: FeedItem): void {
    assert(item.index > this.#latest.index, "the feed follows the log");
    this.#latest = { index: item.index, atMs: item.atMs };
    if (item.changes.length === 0) return;
    this.#items.push(item);
    this.#changeCount += item.changes.length;
    this.#forgetOldest();
    this.#wakeAll();
  }

  /** Items above the index (0 = from now), for ever, until the signal aborts or the feed closes. */
  async *watch(fromIndex: number, signal: AbortSignal): AsyncGenerator<FeedMessage, void, undefined> {
    const startIndex = fromIndex === 0 ? this.#latest.index : fromIndex;
    let cursor = this.#firstSequence;
    let passedIndex = startIndex;
    if (startIndex < this.#floorIndex) {
      cursor = this.#end();
      passedIndex = this.#latest.index;
      yield { kind: "reset", ...this.#latest };
    }
    while (!signal.aborted && !this.#isClosed) {
      if (cursor < this.#firstSequence && passedIndex < this.#floorIndex) {
        cursor = this.#end();
        passedIndex = this.#latest.index;
        yield { kind: "reset", ...this.#latest };
        continue;
      }
      cursor = Math.max(cursor, this.#firstSequence);
      const item = this.#items[this.#head + cursor - this.#firstSequence];
      if (item === undefined) {
        await this.#nextPublish(signal);
        continue;
      }
      cursor += 1;
      if (item.index <= passedIndex) continue;
      passedIndex = item.index;
      yield { kind: "changes", item };
    }
  }

  /** The state was replaced as a whole: nobody knows what changed up to this index, so every watcher reads anew. */
  reset(at: { readonly index: number; readonly atMs: number }): void {
    // One number more than there are items: the cursors of all watchers lie behind it.
    this.#firstSequence = this.#end() + 1;
    this.#items = [];
    this.#head = 0;
    this.#changeCount = 0;
    this.#floorIndex = at.index;
    this.#latest = at;
    this.#wakeAll();
  }

  /** Ends all watchers. */
  close(): void {
    this.#isClosed = true;
    this.#wakeAll();
  }

  #end(): number {
    return this.#firstSequence + this.#items.length - this.#head;
  }

  #forgetOldest(): void {
    const { itemsMax, changesMax } = this.#limits;
    while (this.#items.length - this.#head > itemsMax || this.#changeCount > changesMax) {
      const oldest = must(this.#items[this.#head], "there is an item while there is too much");
      this.#changeCount -= oldest.changes.length;
      this.#floorIndex = oldest.index;
      this.#head += 1;
      this.#firstSequence += 1;
      if (this.#head === this.#items.length) break;
    }
    // In large steps, so that forgetting one costs a constant on average.
    if (this.#head <= itemsMax) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  #nextPublish(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
