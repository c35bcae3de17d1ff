import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { weighCopies, type CopyNode } from "./copy-node.ts";

/** Copy sets by what is to be done about them. */
export interface ClassifiedSets {
  /** Too few copies and at least one to copy from; fewest copies first. */
  readonly short: readonly CountedSet[];
  /** Enough copies that count, too few of them on nodes that stay. */
  readonly departing: readonly CountedSet[];
  /** More copies that count than wanted, or a copy that its node gives away and that was replaced. */
  readonly over: readonly CountedSet[];
  /** No copy that counts. */
  readonly missing: readonly CountedSet[];
}

/** Sorts copy sets into kinds of work. Its cost follows the number of sets, not that of chunks. */
export function classifySets(
  sets: Iterable<CountedSet>,
  view: { readonly nodes: ReadonlyMap<number, CopyNode>; readonly replication: number },
): ClassifiedSets {
  const short: { readonly set: CountedSet; readonly counted: number }[] = [];
  const departing: CountedSet[] = [];
  const over: CountedSet[] = [];
  const missing: CountedSet[] = [];
  const { nodes, replication } = view;
  const nodeOf = (nodeId: number): CopyNode | undefined => nodes.get(nodeId);
  for (const set of sets) {
    if (set.heldCount === 0) continue;
    const { counted, towards, leaving } = weighCopies(set.nodeIds, { nodeOf, replication });
    if (counted === 0) missing.push(set);
    else if (towards < replication && counted < replication) short.push({ set, counted });
    else if (towards < replication) departing.push(set);
    if (counted > replication || (leaving > 0 && towards >= replication)) over.push(set);
  }
  short.sort((left, right) => left.counted - right.counted || (left.set.key < right.set.key ? -1 : 1));
  return { short: short.map(({ set }) => set), departing, over, missing };
}

/** Bytes of needed copies on every node, by the log. */
export function heldBytesByNode(sets: readonly CountedSet[]): ReadonlyMap<number, number> {
  if (latest?.sets === sets) return latest.bytes;
  const bytes = new Map<number, number>();
  for (const { nodeIds, heldBytes } of sets)
    for (const nodeId of nodeIds) bytes.set(nodeId, (bytes.get(nodeId) ?? 0) + heldBytes);
  latest = { sets, bytes };
  return bytes;
}

// The same array of sets gives the same sums: nothing changed since.
let latest: { readonly sets: readonly CountedSet[]; readonly bytes: ReadonlyMap<number, number> } | undefined;

/** Chunks in some sets. */
export function countHeld(sets: readonly CountedSet[]): number {
  return sets.reduce((sum, set) => sum + set.heldCount, 0);
}
