/** Chunks that have their confirmed copies on exactly the same nodes. */
export interface CountedSet {
  /** As in the tables. */
  readonly key: string;
  readonly nodeIds: readonly number[];
  /** Chunks that somebody needs. */
  readonly heldCount: number;
  /** Bytes of those, counted once a chunk. */
  readonly heldBytes: number;
}
