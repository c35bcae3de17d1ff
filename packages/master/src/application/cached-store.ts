import type { KeyValueChange, KeyValueRange, KeyValueSnapshot, KeyValueStore, Timer, Timers } from "@holdfast/runtime";
import { keyText, layeredRead, type LayeredView } from "./write-buffer.ts";

/** Bytes of keys and values that are kept when nothing else is said; up to twice as many for a moment. */
const defaultHalfBytes = 16 * 2 ** 20;
/** What a row costs besides its bytes. */
const rowOverheadBytes = 128;
/** Larger values are read from the store each time. */
const valueBytesMax = 64 * 1024;
/** So long changes gather before they go to the store: counters and folders are rewritten by every batch. */
const gatherMs = 25;
/** Gathered rows and bytes beyond which writers wait for the store. */
const gatheredRowsMax = 16_384;
const gatheredBytesMax = 8 * 2 ** 20;

/** How a store is kept. */
export interface CachedStoreOptions {
  readonly halfBytes?: number;
  /** With timers, changes that need not be durable gather for a moment; without, each goes to the store at once. */
  readonly timers?: Timers;
  /** Told of every batch as it is written, before anybody can read it. */
  readonly onWrite?: (batch: readonly KeyValueChange[]) => void;
}

/**
 * Keeps rows that were read or written lately, and the absence of rows, in front of a store whose only writer writes
 * through here: counters, folders in use and their order are read for every command, and a read of LevelDB costs ten
 * times a look-up. Two generations: what is not read while one fills up is forgotten with the next.
 *
 * Batches that need not be durable are merged for a moment and reach the store as one: all or nothing of them survives,
 * in order, as with any batches that are not durable. When the store fails, the next write says so.
 */
export class CachedStore implements KeyValueStore, LayeredView {
  private readonly store: KeyValueStore;
  private readonly readStore: LayeredView["getText"];
  private readonly halfBytes: number;
  private readonly timers: Timers | undefined;
  private readonly onWrite: CachedStoreOptions["onWrite"];
  private young = new Map<string, Uint8Array | undefined>();
  private old = new Map<string, Uint8Array | undefined>();
  private youngBytes = 0;
  private gathered = new Map<string, KeyValueChange>();
  private gatheredBytes = 0;
  private timer: Timer | undefined;
  /** Batches handed to the store that it has not taken yet. */
  private passing = 0;
  private failure: { readonly thrown: unknown } | undefined;

  constructor(store: KeyValueStore, options: CachedStoreOptions = {}) {
    this.store = store;
    this.readStore = layeredRead(store);
    this.halfBytes = options.halfBytes ?? defaultHalfBytes;
    this.timers = options.timers;
    this.onWrite = options.onWrite;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getText(keyText(key), key);
  }

  getText(text: string, key: Uint8Array): Uint8Array | undefined {
    const young = this.young.get(text);
    if (young !== undefined || this.young.has(text)) return young;
    const isOld = this.old.has(text);
    const value = isOld ? this.old.get(text) : this.readBelow(text, key);
    this.remember(text, value);
    return value;
  }

  async write(batch: readonly KeyValueChange[], options?: { readonly isDurable?: boolean }): Promise<void> {
    if (this.failure !== undefined) throw this.failure.thrown;
    this.onWrite?.(batch);
    for (const change of batch) {
      const text = keyText(change.key);
      this.gathered.set(text, change);
      this.gatheredBytes += text.length + (change.value?.length ?? 0);
      this.remember(text, change.value);
    }
    const isDurable = options?.isDurable === true;
    const isFull = this.gathered.size > gatheredRowsMax || this.gatheredBytes > gatheredBytesMax;
    if (isDurable || isFull || this.timers === undefined) return this.pass(isDurable);
    this.timer ??= this.timers.after(gatherMs, () => this.passLater());
  }

  range(range: KeyValueRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    // What fails here is remembered for the next write; the reader sees what the store has.
    if (this.gathered.size > 0) this.pass(false).catch(toldByNextWrite);
    return this.store.range(range);
  }

  async snapshot(): Promise<KeyValueSnapshot> {
    if (this.gathered.size > 0) await this.pass(false);
    return this.store.snapshot();
  }

  async close(): Promise<void> {
    try {
      if (this.gathered.size > 0 && this.failure === undefined) await this.pass(false);
    } finally {
      this.timer?.cancel();
      this.young.clear();
      this.old.clear();
      await this.store.close();
    }
  }

  /** The store below holds another state from now on: nothing that was remembered or gathered counts any more. */
  forget(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.young.clear();
    this.old.clear();
    this.youngBytes = 0;
    this.gathered = new Map();
    this.gatheredBytes = 0;
  }

  /** Rows that are remembered now. */
  rowCount(): number {
    return this.young.size + this.old.size;
  }

  private readBelow(text: string, key: Uint8Array): Uint8Array | undefined {
    const gathered = this.gathered.get(text);
    return gathered === undefined ? this.readStore(text, key) : gathered.value;
  }

  /** A slow store gets few large batches instead of many. */
  private passLater(): void {
    this.timer = undefined;
    if (this.passing > 0 && this.timers !== undefined) this.timer = this.timers.after(gatherMs, () => this.passLater());
    else this.pass(false).catch(toldByNextWrite);
  }

  /** Hands what gathered to the store, as one batch. From the same moment on the store itself says so to readers. */
  private async pass(isDurable: boolean): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    const changes = [...this.gathered.values()];
    this.passing += 1;
    try {
      const written = isDurable ? this.store.write(changes, { isDurable }) : this.store.write(changes);
      this.gathered = new Map();
      this.gatheredBytes = 0;
      await written;
    } catch (thrown) {
      this.failure ??= { thrown };
      throw thrown;
    } finally {
      this.passing -= 1;
    }
  }

  private remember(text: string, value: Uint8Array | undefined): void {
    if (value !== undefined && value.length > valueBytesMax) {
      this.young.delete(text);
      this.old.delete(text);
      return;
    }
    // Rewriting a row counts again; that only makes the generation a little shorter.
    this.youngBytes += rowOverheadBytes + text.length + (value?.length ?? 0);
    this.young.set(text, value);
    if (this.youngBytes < this.halfBytes) return;
    this.old = this.young;
    this.young = new Map();
    this.youngBytes = 0;
  }
}

const toldByNextWrite = (_thrown: unknown): void => undefined;
