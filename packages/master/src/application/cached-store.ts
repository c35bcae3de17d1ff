import type { KeyValueChange, KeyValueRange, KeyValueStore } from "@holdfast/runtime";
import { keyText, layeredRead, type LayeredView } from "./write-buffer.ts";

/** Bytes of keys and values that are kept when nothing else is said; up to twice as many for a moment. */
const defaultHalfBytes = 16 * 2 ** 20;
/** What a row costs besides its bytes. */
const rowOverheadBytes = 128;
/** Larger values are read from the store each time. */
const valueBytesMax = 64 * 1024;

/**
 * Keeps rows that were read or written lately, and the absence of rows, in front of a store whose only writer writes
 * through here: counters, folders in use and their order are read for every command, and a read of LevelDB costs ten
 * times a look-up. Two generations: what is not read while one fills up is forgotten with the next.
 */
export class CachedStore implements KeyValueStore, LayeredView {
  private readonly store: KeyValueStore;
  private readonly readStore: LayeredView["getText"];
  private readonly halfBytes: number;
  private young = new Map<string, Uint8Array | undefined>();
  private old = new Map<string, Uint8Array | undefined>();
  private youngBytes = 0;

  constructor(store: KeyValueStore, options: { readonly halfBytes?: number } = {}) {
    this.store = store;
    this.readStore = layeredRead(store);
    this.halfBytes = options.halfBytes ?? defaultHalfBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getText(keyText(key), key);
  }

  getText(text: string, key: Uint8Array): Uint8Array | undefined {
    const young = this.young.get(text);
    if (young !== undefined || this.young.has(text)) return young;
    const isOld = this.old.has(text);
    const value = isOld ? this.old.get(text) : this.readStore(text, key);
    this.remember(text, value);
    return value;
  }

  write(batch: readonly KeyValueChange[], options?: { readonly isDurable?: boolean }): Promise<void> {
    // First the store, which may refuse by throwing; both are seen from the same moment on.
    const written = options === undefined ? this.store.write(batch) : this.store.write(batch, options);
    for (const { key, value } of batch) this.remember(keyText(key), value);
    return written;
  }

  range(range: KeyValueRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.store.range(range);
  }

  close(): Promise<void> {
    this.young.clear();
    this.old.clear();
    return this.store.close();
  }

  /** Rows that are remembered now. */
  rowCount(): number {
    return this.young.size + this.old.size;
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
