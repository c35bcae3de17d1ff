import { HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk, DiskFile, Random } from "@holdfast/runtime";
import type { ChunkTail } from "./chunk-file.ts";
import type { ChunkIndex } from "./chunk-index.ts";
import { chunkFileName } from "./chunk-paths.ts";
import type { ChunkPaths } from "./chunk-paths.ts";
import type { ChunkKey, HeldChunk, InventoryListener } from "./chunk-store.ts";
import type { KeyedSerial } from "./keyed-serial.ts";
import { TailCache } from "./tail-cache.ts";
import { readTail, readVerified } from "./verified-reader.ts";

/** What reading stored copies works with. */
export interface StoredCopiesOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
  readonly paths: ChunkPaths;
  readonly index: ChunkIndex;
  /** Orders what happens to one copy's file name. */
  readonly serial: KeyedSerial;
  readonly listener: InventoryListener;
  readonly clusterId: () => string;
  readonly syncFolder: (folder: string) => Promise<void>;
  /** Told of a damaged copy whose file could not be moved away. */
  readonly onLeftBehind: (key: ChunkKey) => void;
}

/** The files of the copies in the inventory: read with every check, and moved aside when one fails. */
export class StoredCopies {
  readonly #options: StoredCopiesOptions;
  readonly #tails = new TailCache();

  constructor(options: StoredCopiesOptions) {
    this.#options = options;
  }

  /** Verified pieces of a copy. Errors: dataLoss, notFound (trimmed meanwhile), those of the disk. */
  async *pieces(chunk: HeldChunk, startBytes: number, endBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#open(chunk);
    try {
      const { table } = await this.tailOf(chunk, file);
      const pieces = readVerified({ file, table, chunkLengthBytes: chunk.lengthBytes, startBytes, endBytes });
      for await (const piece of pieces) {
        if (!piece.ok) throw await this.#moveAside(chunk, piece.error);
        yield piece.value;
      }
    } finally {
      await file.close();
    }
  }

  /** The verified end of a copy's file. Errors: as `pieces`. */
  async tailOf(chunk: HeldChunk, openFile?: DiskFile): Promise<ChunkTail> {
    const cached = this.#tails.get(chunk);
    if (cached !== undefined) return cached;
    const file = openFile ?? (await this.#open(chunk));
    try {
      const tail = await readTail(file, { ...chunk, clusterId: this.#options.clusterId() });
      if (!tail.ok) throw await this.#moveAside(chunk, tail.error);
      this.#tails.set(chunk, tail.value);
      return tail.value;
    } finally {
      if (openFile === undefined) await file.close();
    }
  }

  /** What was read of the copy before counts no more: the next read looks at all of it. */
  distrust(key: ChunkKey): void {
    this.#tails.delete(key);
  }

  /** The copy is not in the inventory any more. */
  forget(key: ChunkKey): void {
    this.#options.index.remove(key);
    this.#tails.delete(key);
  }

  async #open(chunk: HeldChunk): Promise<DiskFile> {
    const { disk, paths, index } = this.#options;
    try {
      return await disk.open(paths.file(chunk), "read");
    } catch (error) {
      if (!isHoldfastError(error, "notFound")) throw error;
      // Trimmed a moment ago, or taken away behind our back; only the latter is a loss.
      if (index.lengthOf(chunk) === undefined) throw noSuchCopy(chunk);
      throw await this.#moveAside(chunk, "the file is gone");
    }
  }

  /** Takes a damaged copy out of service and answers the error that says so. The file is kept for a person to look at. */
  async #moveAside(chunk: HeldChunk, reason: string): Promise<HoldfastError> {
    const { index, listener, logger } = this.#options;
    const { chunkId, generation, lengthBytes } = chunk;
    if (index.lengthOf(chunk) !== undefined) {
      this.forget(chunk);
      logger.error("chunkserver.copy_damaged", { chunkId, generation, reason });
      listener.corrupt({ chunkId, generation, lengthBytes });
      await this.#options.serial.run(chunkFileName(chunk), () => this.#quarantine(chunk));
    }
    const message = `This node's copy of chunk ${chunkId} is damaged and was set aside. Read another copy.`;
    return new HoldfastError("dataLoss", message);
  }

  async #quarantine(chunk: HeldChunk): Promise<void> {
    const { disk, paths, random, logger, syncFolder, onLeftBehind } = this.#options;
    // A new copy may have come under the name while this waited its turn; then the damaged file is gone already.
    if (this.#options.index.lengthOf(chunk) !== undefined) return;
    const target = `${paths.quarantine}/${chunkFileName(chunk)}.${toHex(random.bytes(4))}`;
    try {
      await disk.rename(paths.file(chunk), target);
      await Promise.all([syncFolder(paths.folder(chunk.chunkId)), syncFolder(paths.quarantine)]);
    } catch (error) {
      // It is out of the inventory and reported; a restart would find and check it again.
      onLeftBehind(chunk);
      logger.warn("chunkserver.quarantine_failed", { chunkId: chunk.chunkId, reason: String(error) });
    }
  }
}

/** Nothing of that name is in the inventory. */
export function noSuchCopy(key: ChunkKey): HoldfastError {
  const message = `This node has no copy of chunk ${key.chunkId}.${key.generation}. Ask another node.`;
  return new HoldfastError("notFound", message);
}

/** The copy's file may still be on a disk that failed, and be found there at the next start. */
export function leftBehind(key: ChunkKey): HoldfastError {
  const message =
    `The disk failed while or before chunk ${key.chunkId}.${key.generation} was removed from it; it may come back with it. ` +
    "Nothing else is affected. Replace the disk or start the node anew, and the order is carried out.";
  return new HoldfastError("diskFailed", message);
}
