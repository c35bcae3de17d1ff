import { compareBytes, HoldfastError } from "@holdfast/base";
import type { KeyValueChange, KeyValueRange, KeyValueSnapshot, KeyValueStore } from "../ports/key-value-store.ts";
import { SortedMap, type SortedSnapshot } from "./sorted-map.ts";

/** When a batch counts as written; the simulator supplies latency, the default is at once. */
export type WriteDelay = (isDurable: boolean) => Promise<void>;

/** What a batch replaced, to take it back at a power cut. */
type UndoBatch = readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[];

/**
 * The contents of one ordered store, which outlive the process that has it open. Like LevelDB's log, a power cut loses
 * a tail of whole batches, never one from the middle and never one that was asked to be durable (or stands before one).
 */
export class MemoryStoreData {
  readonly #map = new SortedMap();
  /** Batches that are not durable, oldest first, numbered from `#firstUndo`. */
  #undo: UndoBatch[] = [];
  #firstUndo = 0;
  #opener: object | undefined;

  /** Opens the store; one at a time. Errors: `precondition` when it is open. */
  open(delay: WriteDelay = () => Promise.resolve()): MemoryStore {
    if (this.#opener !== undefined)
      throw new HoldfastError("precondition", "the store is open in another process; stop that one first");
    const store = new MemoryStore(this, delay);
    this.#opener = store;
    return store;
  }

  /** The process is gone; its open store no longer counts. */
  release(): void {
    this.#opener = undefined;
  }

  /** Takes back the newest not durable batches; `keepCount` of them stay. */
  powerCut(keepCount: (undurableCount: number) => number): void {
    this.#opener = undefined;
    const kept = keepCount(this.#undo.length);
    for (const batch of this.#undo.slice(kept).reverse()) {
      for (const { key, value } of batch.toReversed()) this.#map.set(key, value);
    }
    this.#firstUndo += this.#undo.length;
    this.#undo = [];
  }

  get map(): SortedMap {
    return this.#map;
  }

  /** Applies a batch and returns its number, for `makeDurable`. */
  apply(batch: readonly KeyValueChange[]): number {
    this.#undo.push(batch.map(({ key, value }) => this.#map.set(key, value) ?? { key: key.slice(), value: undefined }));
    return this.#firstUndo + this.#undo.length - 1;
  }

  /** The batch and all before it survive a power cut from now on. */
  makeDurable(batchNumber: number): void {
    const count = batchNumber + 1 - this.#firstUndo;
    if (count <= 0) return;
    this.#undo.splice(0, count);
    this.#firstUndo += count;
  }
}

/** An open `MemoryStoreData`. */
export class MemoryStore implements KeyValueStore {
  readonly #data: MemoryStoreData;
  readonly #delay: WriteDelay;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(data: MemoryStoreData, delay: WriteDelay) {
    this.#data = data;
    this.#delay = delay;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#mustBeOpen();
    return this.#data.map.get(key);
  }

  write(batch: readonly KeyValueChange[], options: { readonly isDurable?: boolean } = {}): Promise<void> {
    this.#mustBeOpen();
    const isDurable = options.isDurable ?? false;
    const batchNumber = this.#data.apply(batch);
    const written = Promise.all([this.#delay(isDurable), this.#last]).then(() => {
      if (isDurable) this.#data.makeDurable(batchNumber);
    });
    this.#last = written;
    return written;
  }

  range(range: KeyValueRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    this.#mustBeOpen();
    return pairsOf(this.#data.map.snapshot(), range);
  }

  async snapshot(): Promise<KeyValueSnapshot> {
    this.#mustBeOpen();
    const frozen = this.#data.map.snapshot();
    return {
      get: (key) => {
        for (const entry of frozen.upwards(key, undefined))
          return compareBytes(entry.key, key) === 0 ? entry.value : undefined;
        return undefined;
      },
      range: (range) => pairsOf(frozen, range),
      sizeBytesEstimate: async () => {
        let bytes = 0;
        for (const { key, value } of frozen.upwards(undefined, undefined)) bytes += key.length + value.length;
        return bytes;
      },
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    this.#data.release();
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new HoldfastError("precondition", "the store was closed");
  }
}

async function* pairsOf(
  snapshot: SortedSnapshot,
  range: KeyValueRange,
): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
  const entries =
    range.isReversed === true ? snapshot.downwards(range.start, range.end) : snapshot.upwards(range.start, range.end);
  const countMax = range.limit ?? Number.POSITIVE_INFINITY;
  let count = 0;
  for (const entry of entries) {
    if (count++ >= countMax) return;
    yield [entry.key, entry.value];
  }
}

/** A store of its own in memory, for unit tests. */
export function createMemoryStore(): KeyValueStore {
  return new MemoryStoreData().open();
}
