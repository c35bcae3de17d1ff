import type { Disk } from "@holdfast/runtime";
import type { ChunkPaths } from "./chunk-paths.ts";
import type { DirectorySyncer } from "./directory-syncer.ts";

/** Makes chunk folders on first use, durably: a new folder's own name is synced before a chunk in it may count. */
export class ChunkFolders {
  readonly #disk: Disk;
  readonly #paths: ChunkPaths;
  readonly #syncer: DirectorySyncer;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(disk: Disk, paths: ChunkPaths, syncer: DirectorySyncer) {
    this.#disk = disk;
    this.#paths = paths;
    this.#syncer = syncer;
  }

  /** The folder exists and its name is durable. Errors: noSpace, diskFailed. */
  ensure(chunkId: number): Promise<void> {
    const folder = this.#paths.folder(chunkId);
    const known = this.#ready.get(folder);
    if (known !== undefined) return known;
    const made = this.#make(chunkId).catch((error: unknown) => {
      this.#ready.delete(folder);
      throw error;
    });
    this.#ready.set(folder, made);
    return made;
  }

  async #make(chunkId: number): Promise<void> {
    const upper = this.#paths.upperFolder(chunkId);
    await this.#disk.makeDirectory(this.#paths.folder(chunkId));
    // Synced even when the upper folder was there: another call may have made it a moment ago and still be syncing.
    await Promise.all([this.#syncer.sync(upper), this.#syncer.sync(this.#paths.chunks)]);
  }
}
