import type { RepairNode } from "./plan.ts";

/** A chunk that somebody needs and that has too many copies. */
export interface OverChunk {
  readonly chunkId: number;
  readonly confirmedNodeIds: readonly number[];
  readonly overForMs: number;
}

/** One look at the extra copies. */
export interface TrimView {
  readonly nodes: readonly RepairNode[];
  readonly chunks: readonly OverChunk[];
  readonly replication: number;
  readonly extraGraceMs: number;
  /** Orders of one round. */
  readonly trimsMax: number;
}

/**
 * At most one extra copy a chunk to order away, after the grace: from the zone with most copies, then from the fullest
 * node. Only nodes that talk at this moment count as what remains; the decision itself is made anew against the tables.
 */
export function planTrims(view: TrimView): readonly { readonly chunkId: number; readonly nodeId: number }[] {
  const { nodes, chunks, replication, extraGraceMs, trimsMax } = view;
  const live = new Map(nodes.filter((node) => node.liveness === "live").map((node) => [node.nodeId, node]));
  const trims: { chunkId: number; nodeId: number }[] = [];
  for (const { chunkId, confirmedNodeIds, overForMs } of chunks) {
    if (trims.length >= trimsMax) break;
    const holders = confirmedNodeIds.map((nodeId) => live.get(nodeId)).filter((node) => node !== undefined);
    if (holders.length <= replication || overForMs < extraGraceMs) continue;
    const inZone = (node: RepairNode): number => holders.filter((other) => other.zone === node.zone).length;
    const [victim] = holders.toSorted(
      (left, right) => inZone(right) - inZone(left) || left.freeBytes - right.freeBytes || left.nodeId - right.nodeId,
    );
    if (victim !== undefined) trims.push({ chunkId, nodeId: victim.nodeId });
  }
  return trims;
}
