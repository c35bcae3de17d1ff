import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { NodeSums } from "../../domain/chunks/node-sums.ts";
import { CopyScales, type CopyNode } from "./copy-node.ts";

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

/**
 * Sorts copy sets into kinds of work, those with equally many copies as they come. Its cost follows the number of sets, not
 * that of chunks.
 */
export function classifySets(
  sets: Iterable<CountedSet>,
  view: { readonly nodes: readonly CopyNode[]; readonly replication: number },
): ClassifiedSets {
  /** By copies that count. */
  const short: CountedSet[][] = [];
  const departing: CountedSet[] = [];
  const over: CountedSet[] = [];
  const missing: CountedSet[] = [];
  const { nodes, replication } = view;
  const scales = new CopyScales(nodes, replication);
  for (const set of sets) {
    if (set.heldCount === 0) continue;
    const { counted, towards, leaving } = scales.weigh(set.nodeIds);
    if (counted === 0) missing.push(set);
    else if (towards < replication && counted < replication) (short[counted] ??= []).push(set);
    else if (towards < replication) departing.push(set);
    if (counted > replication || (leaving > 0 && towards >= replication)) over.push(set);
  }
  return { short: short.flat(), departing, over, missing };
}

/** Bytes of needed copies on every node, by the log. */
export function heldBytesByNode(
  sets: readonly CountedSet[],
  nodes: readonly { readonly nodeId: number }[],
): (nodeId: number) => number {
  const sums = new NodeSums(nodes);
  for (const { nodeIds, heldBytes } of sets) for (const nodeId of nodeIds) sums.add(nodeId, heldBytes);
  return (nodeId) => sums.of(nodeId);
}

/** Chunks in some sets. */
export function countHeld(sets: readonly CountedSet[]): number {
  return sets.reduce((sum, set) => sum + set.heldCount, 0);
}
