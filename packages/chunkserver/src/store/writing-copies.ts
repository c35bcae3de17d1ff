import { HoldfastError } from "@holdfast/base";
import type { ChunkKey } from "./chunk-store.ts";

/** Which copies are being written, and which of those were ordered away meanwhile: they must not come after their removal. */
export class WritingCopies {
  /** Writes in progress, by file name. */
  readonly #counts = new Map<string, number>();
  readonly #orderedAway = new Set<string>();

  /** A write of the copy begins; call the result when it ends. */
  begin(name: string): () => void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(name) ?? 1) - 1;
      if (left > 0) {
        this.#counts.set(name, left);
        return;
      }
      this.#counts.delete(name);
      this.#orderedAway.delete(name);
    };
  }

  /** The copy is ordered away: what is being written of it now shall not stay. */
  orderAway(name: string): void {
    if (this.#counts.has(name)) this.#orderedAway.add(name);
  }

  /** Whether what is being written of the copy shall not stay. */
  isOrderedAway(name: string): boolean {
    return this.#orderedAway.has(name);
  }
}

/** Nothing is kept of a copy that was ordered away while it was written. */
export function orderedAwayMeanwhile({ chunkId }: ChunkKey): HoldfastError {
  const message = `Chunk ${chunkId} was ordered away from this node while it was written; nothing was kept.`;
  return new HoldfastError("precondition", message);
}
