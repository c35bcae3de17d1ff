import { HoldfastError, must, plainBytes } from "@holdfast/base";
import { Level } from "level";
import type { KeyValueChange, KeyValueRange, KeyValueSnapshot, KeyValueStore } from "../ports/key-value-store.ts";
import { toDiskError } from "./disk-errors.ts";

/** How a LevelDB is opened. */
export interface LevelStoreOptions {
  /** Uncompressed block cache. Default 32 MiB. */
  readonly cacheSizeBytes?: number;
  /** Size of the in-memory table before it is written out. Default 8 MiB. */
  readonly writeBufferSizeBytes?: number;
}

/**
 * Opens (or makes) a LevelDB in the folder `path`.
 * Errors: `precondition` when another process holds it, `diskFailed` when it cannot be opened.
 */
export async function openLevelStore(path: string, options: LevelStoreOptions = {}): Promise<KeyValueStore> {
  const level = new Level<Buffer, Buffer>(path, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    cacheSize: options.cacheSizeBytes ?? 32 * 1024 * 1024,
    writeBufferSize: options.writeBufferSizeBytes ?? 8 * 1024 * 1024,
  });
  try {
    await level.open();
  } catch (error) {
    if (isLocked(error)) {
      throw new HoldfastError("precondition", `the store ${path} is open in another process; stop that one first`, {
        cause: error,
      });
    }
    throw toDiskError(`open the store ${path}`, error);
  }
  return new LevelStore(path, level);
}

function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED";
}

interface QueuedBatch {
  readonly sequence: number;
  readonly changes: readonly KeyValueChange[];
  readonly isDurable: boolean;
  readonly settle: { resolve: () => void; reject: (error: HoldfastError) => void };
}

interface PendingValue {
  readonly sequence: number;
  readonly value: Uint8Array | undefined;
}

/** One batch of LevelDB at a time; those that wait are merged into the next (group commit keeps their order). */
class LevelStore implements KeyValueStore {
  readonly #path: string;
  readonly #level: Level<Buffer, Buffer>;
  /** What was asked for but is not in LevelDB yet, by key as latin1 text. */
  readonly #pending = new Map<string, PendingValue>();
  #queue: QueuedBatch[] = [];
  #sequence = 0;
  #running: Promise<void> | undefined;
  /** Settles (never rejects) with the newest batch. */
  #newest: Promise<void> = Promise.resolve();
  #failure: HoldfastError | undefined;
  #isClosed = false;

  constructor(path: string, level: Level<Buffer, Buffer>) {
    this.#path = path;
    this.#level = level;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#mustBeOpen();
    const buffer = asBuffer(key);
    if (this.#pending.size > 0) {
      const pending = this.#pending.get(buffer.toString("latin1"));
      if (pending !== undefined) return pending.value;
    }
    try {
      return asPlain(this.#level.getSync(buffer));
    } catch (error) {
      throw toDiskError(`read the store ${this.#path}`, error);
    }
  }

  write(batch: readonly KeyValueChange[], options: { readonly isDurable?: boolean } = {}): Promise<void> {
    this.#mustBeOpen();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const sequence = ++this.#sequence;
    for (const { key, value } of batch) this.#pending.set(asBuffer(key).toString("latin1"), { sequence, value });
    const written = new Promise<void>((resolve, reject) => {
      this.#queue.push({
        sequence,
        changes: batch,
        isDurable: options.isDurable ?? false,
        settle: { resolve, reject },
      });
    });
    this.#newest = written.then(noResult, noResult);
    this.#running ??= this.#drain();
    return written;
  }

  range(range: KeyValueRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    this.#mustBeOpen();
    return this.#pairs(range, this.#newest, undefined);
  }

  async snapshot(): Promise<KeyValueSnapshot> {
    this.#mustBeOpen();
    await this.#newest;
    this.#mustBeOpen();
    const snapshot = this.#level.snapshot();
    return {
      get: (key) => {
        try {
          return asPlain(this.#level.getSync(asBuffer(key), { snapshot }));
        } catch (error) {
          throw toDiskError(`read the store ${this.#path}`, error);
        }
      },
      range: (range) => this.#pairs(range, Promise.resolve(), snapshot),
      sizeBytesEstimate: () => approximateBytes(this.#level),
      close: () => snapshot.close(),
    };
  }

  async *#pairs(
    range: KeyValueRange,
    earlier: Promise<void>,
    snapshot: ReturnType<Level["snapshot"]> | undefined,
  ): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    await earlier;
    const iterator = this.#level.iterator({
      ...(range.start === undefined ? {} : { gte: asBuffer(range.start) }),
      ...(range.end === undefined ? {} : { lt: asBuffer(range.end) }),
      ...(range.isReversed === true ? { reverse: true } : {}),
      ...(range.limit === undefined ? {} : { limit: range.limit }),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    try {
      for (;;) {
        const page = await iterator.nextv(pageEntriesMax);
        if (page.length === 0) return;
        for (const [key, value] of page) yield [plainBytes(key), plainBytes(value)];
      }
    } catch (error) {
      throw toDiskError(`read the store ${this.#path}`, error);
    } finally {
      await iterator.close();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#running;
    await this.#level.close();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#writeGroup(group);
        for (const batch of group) batch.settle.resolve();
      } catch (error) {
        // After a failed write the order of batches can no longer be kept: nothing may follow.
        this.#failure ??= toDiskError(`write the store ${this.#path}`, error);
        for (const batch of group) batch.settle.reject(this.#failure);
      }
    }
    this.#running = undefined;
  }

  async #writeGroup(group: readonly QueuedBatch[]): Promise<void> {
    const last = must(group.at(-1), "a group holds a batch").sequence;
    const operations = group.flatMap((batch) => batch.changes.map(toOperation));
    await this.#level.batch(operations, { sync: group.some((batch) => batch.isDurable) });
    for (const { key } of operations) {
      const name = key.toString("latin1");
      const pending = this.#pending.get(name);
      if (pending !== undefined && pending.sequence <= last) this.#pending.delete(name);
    }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new HoldfastError("precondition", `the store ${this.#path} was closed`);
  }
}

/** What LevelDB counts in its files. `level` hides it, because browsers have nothing of the kind. */
async function approximateBytes(level: Level<Buffer, Buffer>): Promise<number> {
  const sized = level as unknown as { readonly approximateSize?: (start: Buffer, end: Buffer) => Promise<number> };
  return (await sized.approximateSize?.(Buffer.alloc(0), Buffer.alloc(64, 0xff))) ?? 0;
}

const noResult = (): void => undefined;

/** Pairs fetched from LevelDB in one step. */
const pageEntriesMax = 256;

function toOperation(
  change: KeyValueChange,
): { type: "put"; key: Buffer; value: Buffer } | { type: "del"; key: Buffer } {
  const key = asBuffer(change.key);
  return change.value === undefined ? { type: "del", key } : { type: "put", key, value: asBuffer(change.value) };
}

function asPlain(value: Buffer | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : plainBytes(value);
}

/** The same memory, seen as a Buffer. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
