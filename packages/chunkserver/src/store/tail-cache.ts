import type { ChunkTail } from "./chunk-file.ts";
import { chunkFileName } from "./chunk-paths.ts";
import type { ChunkKey } from "./chunk-store.ts";

/** Tails kept at most: about 1 KiB each with 4 MiB chunks. */
const tailsMax = 1024;

/** Verified tails of the files read last, so that a range read costs no second read. */
export class TailCache {
  readonly #tails = new Map<string, ChunkTail>();

  get(key: ChunkKey): ChunkTail | undefined {
    return this.#tails.get(chunkFileName(key));
  }

  set(key: ChunkKey, tail: ChunkTail): void {
    const name = chunkFileName(key);
    this.#tails.delete(name);
    this.#tails.set(name, tail);
    if (this.#tails.size <= tailsMax) return;
    const oldest = this.#tails.keys().next();
    if (!oldest.done) this.#tails.delete(oldest.value);
  }

  delete(key: ChunkKey): void {
    this.#tails.delete(chunkFileName(key));
  }
}
