import type { PlacementNode } from "../../domain/fleet/placement-nodes.ts";

/** A node as the plans of copies see it: where it stands, how it is, and what its copies are worth. */
export interface CopyNode extends PlacementNode {
  /** Leader time of its NodeDown when it vanished by itself; undefined while it is up or away by an administrator's order. */
  readonly downAtMs: number | undefined;
  /** Copies there count. */
  readonly counts: boolean;
  /** Copies there count towards the number wanted: the node is not giving them away. */
  readonly stays: boolean;
  /** It gives its copies away or has done so. */
  readonly isLeaving: boolean;
  /** Away with leave: its copies are waited for. */
  readonly isExcused: boolean;
  /** Declared dead by an administrator: nothing of it is waited for. */
  readonly isFailed: boolean;
  /** Who took its place and shall hold its copies; undefined when nobody did, or that one is gone, too. */
  readonly successorId: number | undefined;
  /** Bytes of needed copies there, by the log. */
  readonly heldBytes: number;
}

/** What a chunk's copies are worth now. */
export interface CopyWorth {
  /** Copies that count. */
  readonly counted: number;
  /** Copies that count towards the number wanted, those that are waited for included. */
  readonly towards: number;
  /** Copies on nodes that give theirs away. */
  readonly leaving: number;
}

/** Other copies that must be left while one is waited for. */
const othersMin = 2;

/**
 * Weighs a set of copies. Copies on a node in maintenance that is away are waited for, as long as two others (one, when
 * only one is wanted) count.
 */
export function weighCopies(
  nodeIds: readonly number[],
  view: { readonly nodeOf: (nodeId: number) => CopyNode | undefined; readonly replication: number },
): CopyWorth {
  let counted = 0;
  let staying = 0;
  let excused = 0;
  let leaving = 0;
  for (const nodeId of nodeIds) {
    const node = view.nodeOf(nodeId);
    if (node === undefined) continue;
    if (node.counts) counted += 1;
    if (node.stays) staying += 1;
    if (node.isExcused) excused += 1;
    if (node.isLeaving) leaving += 1;
  }
  const isBearable = counted >= Math.min(othersMin, view.replication);
  return { counted, towards: isBearable ? staying + excused : staying, leaving };
}
