import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Timers } from "@holdfast/runtime";
import { ChunkIndex } from "./chunk-index.ts";
import { chunkFileName } from "./chunk-paths.ts";
import type {
  ChunkFacts,
  ChunkKey,
  ChunkRange,
  ChunkStore,
  ChunkWrite,
  DiskState,
  HeldChunk,
  InventoryListener,
  StoreStatus,
} from "./chunk-store.ts";
import { Evacuation } from "./evacuation.ts";
import type { FileChunkStore } from "./file-chunk-store.ts";
import { leftBehind, noSuchCopy } from "./stored-copies.ts";

/** One disk of a node. */
export interface StoreDisk {
  readonly path: string;
  /** Undefined: it could not be opened at the start. */
  readonly store: FileChunkStore | undefined;
}

/** What a store on several disks works with. */
export interface MultiDiskStoreOptions {
  readonly timers: Timers;
  readonly logger: Logger;
  readonly listener: InventoryListener;
}

/**
 * One store on several disks. A new copy goes to the working disk with the most room. When a disk fails, the others go on:
 * what can still be read of it is copied to them, what cannot is reported as lost, so that only that is repaired from
 * other nodes. Open it with `openMultiDiskStore`.
 */
export class MultiDiskStore implements ChunkStore {
  readonly #options: MultiDiskStoreOptions;
  /** What the node holds on any disk: what masters are told. */
  readonly #union = new ChunkIndex();
  /** Writes in progress, so that a chunk that comes twice at once goes to one disk. */
  readonly #writing = new Map<string, { readonly store: FileChunkStore; count: number }>();
  readonly #evacuations = new Map<StoreDisk, Evacuation>();
  #disks: readonly StoreDisk[] = [];

  constructor(options: MultiDiskStoreOptions) {
    this.#options = options;
  }

  /** The listener of one disk's store; `disk` is told once the store is there. */
  listenerFor(path: string): InventoryListener {
    const { listener } = this.#options;
    const isElsewhere = (key: ChunkKey): boolean =>
      this.#disks.some((disk) => disk.path !== path && disk.store?.has(key) === true);
    return {
      added: (chunk) => {
        this.#union.add(chunk);
        listener.added(chunk);
      },
      trimmed: (chunk) => {
        if (isElsewhere(chunk)) return;
        this.#union.remove(chunk);
        if (!this.#mayReturn(chunk)) listener.trimmed(chunk);
      },
      corrupt: (chunk) => {
        if (isElsewhere(chunk)) return;
        this.#union.remove(chunk);
        listener.corrupt(chunk);
      },
    };
  }

  /** Takes over the disks' stores and what they hold. Called once. */
  attach(disks: readonly StoreDisk[]): void {
    this.#disks = disks;
    for (const { store } of disks) for (const chunk of store?.held() ?? []) this.#union.add(chunk);
  }

  /** A disk failed: its copies go to the others as far as they can be read. Idempotent. */
  noteFailed(path: string): void {
    const disk = this.#disks.find((each) => each.path === path);
    if (disk?.store === undefined || this.#evacuations.has(disk)) return;
    this.#options.logger.error("chunkserver.evacuation_started", {
      directory: path,
      chunkCount: disk.store.status().chunkCount,
    });
    const evacuation = new Evacuation({
      ...this.#options,
      source: disk.store,
      isElsewhere: (key) => this.#working().some((store) => store.has(key)),
      beginWrite: (chunk) => this.beginWrite(chunk),
      onLost: (chunk) => this.listenerFor(path).corrupt(chunk),
    });
    this.#evacuations.set(disk, evacuation);
    evacuation.start();
  }

  async beginWrite(chunk: HeldChunk): Promise<ChunkWrite> {
    const name = chunkFileName(chunk);
    const stores = this.#storesFor(chunk);
    let refusal: unknown = new HoldfastError("diskFailed", "No disk of this node works. Use another node.");
    for (const store of stores) {
      // Noted before the disk is asked: a second writer must find it at once.
      const release = this.#noteWriting(name, store);
      try {
        return tracked(await store.beginWrite(chunk), release);
      } catch (error) {
        release();
        refusal = error;
        if (!isHoldfastError(error, "noSpace", "diskFailed")) break;
      }
    }
    throw refusal;
  }

  async *read(range: ChunkRange): AsyncGenerator<Uint8Array, void, undefined> {
    const store = this.#holderOf(range);
    if (store === undefined) throw noSuchCopy(range);
    try {
      yield* store.read(range);
    } catch (error) {
      throw this.#noteReadError(store, error);
    }
  }

  async facts(key: ChunkKey): Promise<ChunkFacts | undefined> {
    const store = this.#holderOf(key);
    try {
      return await store?.facts(key);
    } catch (error) {
      throw store === undefined ? error : this.#noteReadError(store, error);
    }
  }

  has(key: ChunkKey): boolean {
    return this.#union.lengthOf(key) !== undefined;
  }

  async verify(key: ChunkKey): Promise<boolean> {
    const store = this.#holderOf(key);
    if (store === undefined) return true;
    try {
      return await store.verify(key);
    } catch (error) {
      this.#noteReadError(store, error);
      // The copies of a failed disk are checked one by one as they are moved away from it.
      if (isHoldfastError(error, "diskFailed")) return true;
      throw error;
    }
  }

  async trim(key: ChunkKey, term: number): Promise<void> {
    // A disk to which the chunk is being written hears of it too: the copy must not come afterwards.
    const writer = this.#writing.get(chunkFileName(key))?.store;
    const holders = this.#stores().filter((store) => store.has(key) || store === writer || store.mayReturn(key));
    if (holders.length === 0) this.#options.listener.trimmed({ ...key, lengthBytes: 0 });
    for (const store of holders) {
      if (store.status().diskState === "failed") store.withdraw(key);
      else await store.trim(key, term);
    }
    if (holders.length > 0 && !this.#stores().some((store) => store.has(key))) {
      const removed = this.#union.remove(key);
      if (removed !== undefined && !this.#mayReturn(key)) this.#options.listener.trimmed(removed);
    }
    // The order stays open: it is given again, and carried out for certain once the disk was replaced or read anew.
    if (this.#mayReturn(key)) throw leftBehind(key);
  }

  #mayReturn(key: ChunkKey): boolean {
    return this.#stores().some((store) => store.mayReturn(key));
  }

  bucketDigests(): readonly number[] {
    return this.#union.digests();
  }

  listBucket(bucket: number): readonly HeldChunk[] {
    return this.#union.listBucket(bucket);
  }

  status(): StoreStatus {
    const disks = this.#disks.map(({ path, store }) => ({ path, status: store?.status() }));
    const working = disks.filter(({ status }) => status !== undefined && status.diskState !== "failed");
    const sum = (of: (status: StoreStatus) => number, among = disks): number =>
      among.reduce((total, { status }) => total + (status === undefined ? 0 : of(status)), 0);
    const states = new Set(disks.map(({ status }) => status?.diskState ?? "failed"));
    const diskState = (["ok", "full", "failed"] satisfies DiskState[]).find((state) => states.has(state)) ?? "failed";
    return {
      chunkCount: this.#union.count,
      usedBytes: this.#union.usedBytes,
      capacityBytes: sum((status) => status.capacityBytes, working),
      freeBytes: sum((status) => status.freeBytes, working),
      diskState,
      activeWriteCount: sum((status) => status.activeWriteCount),
      activeReadCount: sum((status) => status.activeReadCount),
      disks: disks.map(({ path, status }) => ({
        path,
        state: status?.diskState ?? "failed",
        capacityBytes: status?.capacityBytes ?? 0,
        usedBytes: status?.usedBytes ?? 0,
      })),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#evacuations.values()].map((evacuation) => evacuation.stop()));
    await Promise.all(this.#stores().map((store) => store.close()));
  }

  #stores(): readonly FileChunkStore[] {
    return this.#disks.flatMap(({ store }) => (store === undefined ? [] : [store]));
  }

  #working(): readonly FileChunkStore[] {
    return this.#stores().filter((store) => store.status().diskState !== "failed");
  }

  /** Where a copy is read: on a working disk if one has it. */
  #holderOf(key: ChunkKey): FileChunkStore | undefined {
    return this.#working().find((store) => store.has(key)) ?? this.#stores().find((store) => store.has(key));
  }

  /** Where a new copy may go, best first: beside the same chunk, else where most room is for each write in progress. */
  #storesFor(chunk: HeldChunk): readonly FileChunkStore[] {
    const working = this.#working();
    const holder = working.find((store) => store.has(chunk)) ?? this.#writing.get(chunkFileName(chunk))?.store;
    if (holder !== undefined && working.includes(holder)) return [holder];
    const rooms = working.map((store) => {
      const { freeBytes, activeWriteCount, usedBytes } = store.status();
      return { store, roomBytes: freeBytes / (1 + activeWriteCount), usedBytes };
    });
    rooms.sort((left, right) => right.roomBytes - left.roomBytes || left.usedBytes - right.usedBytes);
    return rooms.map(({ store }) => store);
  }

  /** A write of a chunk to a disk begins; the answer, idempotent, ends it. */
  #noteWriting(name: string, store: FileChunkStore): () => void {
    const entry = this.#writing.get(name) ?? { store, count: 0 };
    this.#writing.set(name, entry);
    entry.count++;
    let isOpen = true;
    return () => {
      if (isOpen && --entry.count === 0) this.#writing.delete(name);
      isOpen = false;
    };
  }

  /** A disk that cannot be read has failed. Answers the error. */
  #noteReadError(store: FileChunkStore, error: unknown): unknown {
    return isHoldfastError(error, "diskFailed") ? store.noteReadFailure(error) : error;
  }
}

/** A write that calls back at its end. */
function tracked(write: ChunkWrite, onEnd: () => void): ChunkWrite {
  return {
    append: (bytes) => write.append(bytes),
    commit: async (sha256) => {
      await write.commit(sha256);
      onEnd();
    },
    abort: async () => {
      await write.abort();
      onEnd();
    },
  };
}
