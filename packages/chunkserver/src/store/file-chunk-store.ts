import { equalBytes, HoldfastError, isHoldfastError, isPlanted, toHex } from "@holdfast/base";
import { ChunkFolders } from "./chunk-folders.ts";
import { ChunkIndex } from "./chunk-index.ts";
import { chunkFileName, ChunkPaths } from "./chunk-paths.ts";
import { checkNewChunk, checkRange } from "./chunk-requests.ts";
import type {
  ChunkFacts,
  ChunkKey,
  ChunkRange,
  ChunkStore,
  ChunkWrite,
  HeldChunk,
  StoreStatus,
} from "./chunk-store.ts";
import { ChunkTrash } from "./chunk-trash.ts";
import { DirectorySyncer } from "./directory-syncer.ts";
import { DiskHealth } from "./disk-health.ts";
import type { FileChunkStoreOptions } from "./file-chunk-store-options.ts";
import { FileChunkWrite } from "./file-chunk-write.ts";
import { HashOnlyWrite, storedWithOtherBytes } from "./hash-only-write.ts";
import { KeyedSerial } from "./keyed-serial.ts";
import { loadInventory } from "./load-inventory.ts";
import { leftBehind, noSuchCopy, StoredCopies } from "./stored-copies.ts";
import { Turnstile } from "./turnstile.ts";
import { orderedAwayMeanwhile, WritingCopies } from "./writing-copies.ts";

/** One file per chunk (docs/formats/chunk-file.md). Open it with `openFileChunkStore`. */
export class FileChunkStore implements ChunkStore {
  readonly #options: FileChunkStoreOptions;
  readonly #paths: ChunkPaths;
  readonly #index = new ChunkIndex();
  readonly #serial = new KeyedSerial();
  readonly #buffered: { bytes: number; readonly bytesMax: number };
  readonly #writing = new WritingCopies();
  readonly #writes = new Set<ChunkWrite>();
  readonly #syncs: Turnstile;
  readonly #syncer: DirectorySyncer;
  readonly #folders: ChunkFolders;
  /** Names of copies that left the inventory while their file may still be there. */
  readonly #leftBehind = new Set<string>();
  readonly #health: DiskHealth;
  readonly #trash: ChunkTrash;
  readonly #copies: StoredCopies;
  #activeReadCount = 0;
  #onIdle: (() => void) | undefined;
  #isClosed = false;

  constructor(options: FileChunkStoreOptions) {
    const { disk, clock, timers, logger, dataDirectory, limits } = options;
    this.#options = options;
    this.#paths = new ChunkPaths(dataDirectory);
    this.#buffered = { bytes: 0, bytesMax: limits.bufferedBytesMax };
    this.#syncs = new Turnstile(limits.concurrentSyncsMax);
    // A lone write has nobody to share a directory sync with.
    const batchDelayMs = (): number => (this.#writes.size > 1 ? limits.directorySyncDelayMs : 0);
    this.#syncer = new DirectorySyncer({ disk, timers, batchDelayMs });
    this.#folders = new ChunkFolders(disk, this.#paths, this.#syncer);
    const { capacityBytesMax, spaceCheckIntervalMs } = limits;
    const usedBytes = (): number => this.#index.usedBytes;
    const watched = { disk, timers, logger, dataDirectory, capacityBytesMax, spaceCheckIntervalMs, usedBytes };
    this.#health = new DiskHealth({
      ...watched,
      ...(options.onFailed === undefined ? {} : { onFailed: options.onFailed }),
    });
    this.#trash = new ChunkTrash({
      disk,
      clock,
      timers,
      logger,
      folder: this.#paths.trash,
      retentionMs: limits.trashRetentionMs,
    });
    const syncFolder = (folder: string): Promise<void> => this.#syncFolder(folder);
    this.#copies = new StoredCopies({
      ...options,
      paths: this.#paths,
      index: this.#index,
      serial: this.#serial,
      syncFolder,
      onLeftBehind: (key) => this.#leftBehind.add(chunkFileName(key)),
    });
  }

  /** Makes the folders, sweeps tmp/, lists the inventory. Called once, by `openFileChunkStore`. */
  async start(): Promise<void> {
    const { disk, dataDirectory } = this.#options;
    const { chunks, temporary, trash, quarantine } = this.#paths;
    for (const folder of [chunks, temporary, trash, quarantine]) await disk.makeDirectory(folder);
    await disk.syncDirectory(dataDirectory);
    for (const name of await disk.list(temporary)) await disk.remove(`${temporary}/${name}`);
    await loadInventory({ ...this.#options, paths: this.#paths, index: this.#index });
    await this.#trash.start();
    await this.#health.start();
  }

  async beginWrite(chunk: HeldChunk): Promise<ChunkWrite> {
    checkNewChunk(chunk);
    const { limits, clusterId, disk, random } = this.#options;
    this.#health.assertWorking();
    if (this.#isClosed) throw new HoldfastError("unavailable", "This node is stopping. Use another node.");
    if (this.#writes.size >= limits.activeWritesMax) throw tooBusy("writes");
    const heldBytes = this.#index.lengthOf(chunk);
    if (heldBytes !== undefined && heldBytes !== chunk.lengthBytes) throw storedWithOtherBytes(chunk);
    const endWriting = this.#writing.begin(chunkFileName(chunk));
    const release = heldBytes === undefined ? this.#health.reserve(chunk.lengthBytes) : (): void => undefined;
    const ended = (): void => {
      release();
      endWriting();
      this.#writes.delete(write);
      if (this.#writes.size === 0) this.#onIdle?.();
    };
    const write: ChunkWrite =
      heldBytes !== undefined
        ? new HashOnlyWrite(chunk, { stored: () => this.facts(chunk), ended })
        : new FileChunkWrite(chunk, {
            disk,
            health: this.#health,
            syncs: this.#syncs,
            buffered: this.#buffered,
            clusterId: clusterId(),
            temporaryPath: `${this.#paths.temporary}/${toHex(random.bytes(12))}`,
            publish: (facts, temporaryPath) => this.#publish(facts, temporaryPath),
            ended,
          });
    this.#writes.add(write);
    return write;
  }

  async *read(range: ChunkRange): AsyncGenerator<Uint8Array, void, undefined> {
    const lengthBytes = this.#index.lengthOf(range);
    if (lengthBytes === undefined) throw noSuchCopy(range);
    const { startBytes, endBytes } = checkRange(range, lengthBytes);
    if (this.#activeReadCount >= this.#options.limits.activeReadsMax) throw tooBusy("reads");
    this.#activeReadCount++;
    try {
      yield* this.#copies.pieces({ ...range, lengthBytes }, startBytes, endBytes);
    } finally {
      this.#activeReadCount--;
    }
  }

  async facts(key: ChunkKey): Promise<ChunkFacts | undefined> {
    const lengthBytes = this.#index.lengthOf(key);
    if (lengthBytes === undefined) return undefined;
    const { footer } = await this.#copies.tailOf({ ...key, lengthBytes });
    return { ...key, lengthBytes, sha256: footer.sha256 };
  }

  has(key: ChunkKey): boolean {
    return this.#index.lengthOf(key) !== undefined;
  }

  async verify(key: ChunkKey): Promise<boolean> {
    // Table and footer rot, too; a cached tail would hide it.
    this.#copies.distrust(key);
    try {
      for await (const _piece of this.read({ ...key, offsetBytes: 0, lengthBytes: undefined })) void _piece;
      return true;
    } catch (error) {
      if (isHoldfastError(error, "notFound")) return true;
      if (isHoldfastError(error, "dataLoss")) return false;
      throw error;
    }
  }

  async trim(key: ChunkKey, term: number): Promise<void> {
    const { listener, logger } = this.#options;
    await this.#serial.run(chunkFileName(key), async () => {
      this.#writing.orderAway(chunkFileName(key));
      const lengthBytes = this.#index.lengthOf(key);
      if (lengthBytes === undefined && !this.mayReturn(key)) return listener.trimmed({ ...key, lengthBytes: 0 });
      await this.#moveToTrash(key, term);
      await this.#finishRemoval(key);
      logger.info("chunkserver.copy_trimmed", { chunkId: key.chunkId, generation: key.generation, term });
      listener.trimmed({ ...key, lengthBytes: lengthBytes ?? 0 });
    });
  }

  /** Errors: those of the disk; diskFailed when nothing can be known of a file that is in no inventory. */
  async #moveToTrash(key: ChunkKey, term: number): Promise<void> {
    if (!this.has(key) && this.#health.state === "failed") throw leftBehind(key);
    const name = `${term}-${chunkFileName(key)}`;
    try {
      await this.#options.disk.rename(this.#paths.file(key), `${this.#paths.trash}/${name}`);
      this.#trash.noteAdded(name);
    } catch (error) {
      // An earlier order moved it, or it never got its name.
      if (this.has(key) || !isHoldfastError(error, "notFound")) throw error;
    }
    this.#copies.forget(key);
    // Until the new name is durable a power cut may bring the old one back, and after a failed sync for ever.
    this.#leftBehind.add(chunkFileName(key));
  }

  /** Makes a removal durable, on a disk that works. Errors: diskFailed, noSpace; then it may be asked again. */
  async #finishRemoval(key: ChunkKey): Promise<void> {
    if (this.#health.state === "failed") throw leftBehind(key);
    await Promise.all([this.#syncFolder(this.#paths.folder(key.chunkId)), this.#syncFolder(this.#paths.trash)]);
    this.#leftBehind.delete(chunkFileName(key));
  }

  /** All copies in the inventory; it must not change meanwhile. */
  held(): Iterable<HeldChunk> {
    return this.#index.all();
  }

  /** Takes a copy out of the inventory and leaves its file as it is, because the node has the copy elsewhere or the disk failed. */
  withdraw(key: ChunkKey): void {
    this.#leftBehind.add(chunkFileName(key));
    this.#copies.forget(key);
  }

  /** Whether a copy that is not in the inventory may be found on this disk at the next start. */
  mayReturn(key: ChunkKey): boolean {
    return this.#leftBehind.has(chunkFileName(key));
  }

  /** The disk refused a read. Answers the error. */
  noteReadFailure(error: unknown): unknown {
    return this.#health.noteFailure(error, "read");
  }

  bucketDigests(): readonly number[] {
    return this.#index.digests();
  }

  listBucket(bucket: number): readonly HeldChunk[] {
    return this.#index.listBucket(bucket);
  }

  status(): StoreStatus {
    const { usedBytes } = this.#index;
    const { capacityBytes, state } = this.#health;
    return {
      chunkCount: this.#index.count,
      usedBytes,
      capacityBytes,
      freeBytes: this.#health.freeBytes,
      diskState: state,
      disks: [{ path: this.#options.dataDirectory, state, capacityBytes, usedBytes }],
      activeWriteCount: this.#writes.size,
      activeReadCount: this.#activeReadCount,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#health.stop();
    this.#trash.stop();
    await Promise.all([...this.#writes].map((write) => write.abort()));
    // Those that were committing go on to their end.
    if (this.#writes.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  async #publish(facts: ChunkFacts, temporaryPath: string): Promise<void> {
    await this.#folders.ensure(facts.chunkId);
    for (;;) {
      const stored = await this.#wholeFacts(facts);
      if (stored !== undefined) {
        await this.#options.disk.remove(temporaryPath);
        if (!equalBytes(stored.sha256, facts.sha256)) throw storedWithOtherBytes(facts);
        return;
      }
      if (await this.#serial.run(chunkFileName(facts), () => this.#giveName(facts, temporaryPath))) return;
    }
  }

  /** False when another writer was faster. */
  async #giveName(facts: ChunkFacts, temporaryPath: string): Promise<boolean> {
    if (this.has(facts)) return false;
    if (this.#writing.isOrderedAway(chunkFileName(facts))) throw orderedAwayMeanwhile(facts);
    // If the sync fails the copy is in no inventory, and its file is there all the same.
    this.#leftBehind.add(chunkFileName(facts));
    await this.#options.disk.rename(temporaryPath, this.#paths.file(facts));
    if (!isPlanted("ackBeforeNameIsDurable")) await this.#syncFolder(this.#paths.folder(facts.chunkId));
    this.#leftBehind.delete(chunkFileName(facts));
    const { chunkId, generation, lengthBytes } = facts;
    this.#index.add({ chunkId, generation, lengthBytes });
    this.#options.listener.added({ chunkId, generation, lengthBytes });
    return true;
  }

  /** As `facts`, but a damaged copy counts as none: it is out of the way when this settles. */
  async #wholeFacts(key: ChunkKey): Promise<ChunkFacts | undefined> {
    try {
      return await this.facts(key);
    } catch (error) {
      if (isHoldfastError(error, "dataLoss")) return undefined;
      throw error;
    }
  }

  async #syncFolder(folder: string): Promise<void> {
    try {
      await this.#syncer.sync(folder);
    } catch (error) {
      throw this.#health.noteFailure(error, "sync");
    }
  }
}

/** Opens the store of a data directory and lists its inventory. Errors: those of the disk. */
export async function openFileChunkStore(options: FileChunkStoreOptions): Promise<FileChunkStore> {
  const store = new FileChunkStore(options);
  await store.start();
  return store;
}

function tooBusy(what: string): HoldfastError {
  return new HoldfastError(
    "tooBusy",
    `This node has too many ${what} in progress; nothing was done. Use another node or try later.`,
  );
}
