/** What was found of chunks that nobody needs. */
export interface GarbageView {
  /** Chunks that were released, oldest id first. */
  readonly garbageChunkIds: readonly number[];
  /** Granted and never committed chunks with the end of their life, soonest first. */
  readonly granted: readonly { readonly chunkId: number; readonly expiresAtMs: number }[];
  readonly nowMs: number;
  /** Chunks of one batch. */
  readonly chunksMax: number;
}

/** The next chunks to order away: released ones first, then granted ones whose time is over. */
export function planGarbage(view: GarbageView): readonly number[] {
  const expired = view.granted.filter((chunk) => chunk.expiresAtMs <= view.nowMs).map((chunk) => chunk.chunkId);
  return [...new Set([...view.garbageChunkIds, ...expired])].slice(0, view.chunksMax);
}
