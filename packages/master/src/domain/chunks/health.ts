import { parseCopySetKey } from "./tables.ts";

/** Held chunks by state; from confirmed copies on nodes that are up, never from finished jobs. */
export interface ChunkHealthCounts {
  readonly total: number;
  readonly healthy: number;
  readonly under: number;
  readonly over: number;
  readonly missing: number;
}

/** A copy set and how many held chunks have it. */
export interface CountedCopySet {
  readonly key: string;
  /** The nodes of the key, where somebody has them at hand. */
  readonly nodeIds?: readonly number[];
  readonly heldCount: number;
}

/** What health is measured against. */
export interface HealthView {
  /** Copies a chunk should have. */
  readonly replication: number;
  /** Whether copies on this node count. */
  readonly isUp: (nodeId: number) => boolean;
}

/** Copies of a set that count. */
export function copiesLeft(key: string, isUp: (nodeId: number) => boolean): number {
  return parseCopySetKey(key).filter(isUp).length;
}

function countUp(nodeIds: readonly number[], isUp: (nodeId: number) => boolean): number {
  let count = 0;
  for (const nodeId of nodeIds) if (isUp(nodeId)) count += 1;
  return count;
}

/** The cluster's health: one step for each distinct set of nodes, whatever number of chunks there is. */
export function countHealth(sets: Iterable<CountedCopySet>, view: HealthView): ChunkHealthCounts {
  const counts = { total: 0, healthy: 0, under: 0, over: 0, missing: 0 };
  for (const { key, nodeIds, heldCount } of sets) {
    const copies = countUp(nodeIds ?? parseCopySetKey(key), view.isUp);
    counts.total += heldCount;
    if (copies === 0) counts.missing += heldCount;
    else if (copies < view.replication) counts.under += heldCount;
    else if (copies === view.replication) counts.healthy += heldCount;
    else counts.over += heldCount;
  }
  return counts;
}

/** Work for repair: copy sets below the wanted number, those with the fewest copies left first, unreadable ones last. */
export function orderUnderReplicated(
  sets: Iterable<CountedCopySet>,
  view: HealthView,
): readonly (CountedCopySet & { readonly copies: number })[] {
  return [...sets]
    .map((set) => ({ ...set, copies: copiesLeft(set.key, view.isUp) }))
    .filter((set) => set.heldCount > 0 && set.copies < view.replication)
    .sort((left, right) => rank(left.copies) - rank(right.copies) || (left.key < right.key ? -1 : 1));
}

function rank(copies: number): number {
  return copies === 0 ? Number.MAX_SAFE_INTEGER : copies;
}
