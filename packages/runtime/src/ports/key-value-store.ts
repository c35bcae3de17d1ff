/**
 * An ordered byte map with atomic batches, as a port: LevelDB in production, memory in the simulator.
 * Keys sort by unsigned bytes. Reads by key are synchronous, because decisions are (architecture.md section 4).
 */
export interface KeyValueStore {
  /** The value, or undefined. Sees every batch whose `write` was called, even before its promise settles. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Applies a batch atomically, in call order. Visible to `get` at once. The promise settles when the batch is in the
   * store; it is durable against power loss only when `isDurable` was asked for (all earlier batches are then, too).
   */
  write(batch: readonly KeyValueChange[], options?: { readonly isDurable?: boolean }): Promise<void>;
  /** Pairs with start <= key < end in order (or reversed), over a consistent view that includes every earlier `write`. */
  range(range: KeyValueRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /**
   * The store as it is now, every earlier `write` included and none of those that are called after the promise settles.
   * It costs space while it is open: close it.
   */
  snapshot(): Promise<KeyValueSnapshot>;
  /** Closes; further calls fail. */
  close(): Promise<void>;
}

/** A frozen view of a store. */
export interface KeyValueSnapshot {
  /** As of the store, at the moment of the snapshot. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** As of the store, at the moment of the snapshot. */
  range(range: KeyValueRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /** About how many bytes of keys and values there are: for showing progress, and nothing else. */
  sizeBytesEstimate(): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A value to set, or a key to remove. */
export type KeyValueChange =
  | { readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly key: Uint8Array; readonly value: undefined };

/** Which pairs. */
export interface KeyValueRange {
  /** Inclusive; undefined = from the first. */
  readonly start?: Uint8Array | undefined;
  /** Exclusive; undefined = to the last. */
  readonly end?: Uint8Array | undefined;
  /** From the last to the first. */
  readonly isReversed?: boolean;
  /** At most so many pairs. */
  readonly limit?: number;
}
