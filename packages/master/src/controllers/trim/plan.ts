import type { CopyNode } from "../repair/copy-node.ts";

/** A chunk that somebody needs and that has more copies than it should, or copies on nodes that give theirs away. */
export interface OverChunk {
  readonly chunkId: number;
  readonly confirmedNodeIds: readonly number[];
  /** Since it was first seen so. */
  readonly overForMs: number;
  /** The node that got a copy for balance, if one did: another one gives its copy up for it. */
  readonly moveTargetId: number | undefined;
}

/** One look at the extra copies. */
export interface TrimView {
  readonly nodes: readonly CopyNode[];
  readonly chunks: readonly OverChunk[];
  readonly replication: number;
  /** Fewer copies are wanted than before: what is too many goes for that reason. */
  readonly isReplicationLowered: boolean;
  readonly extraGraceMs: number;
  /** Orders of one round. */
  readonly trimsMax: number;
}

/** Why a copy goes, as the log says it. */
export type TrimReason = "extra" | "drained" | "balanced" | "replication";

/** A copy to order away. */
export interface PlannedTrim {
  readonly chunkId: number;
  readonly nodeId: number;
  readonly reason: TrimReason;
}

/**
 * At most one copy a chunk to order away. What remains must be as many copies as wanted on active nodes that talk at this
 * moment; the decision itself is made anew against the tables. A copy on a node that gives its copies away goes at once,
 * and so does the one that a move made superfluous; any other extra one after the grace, because a node that came back may
 * go again.
 */
export function planTrims(view: TrimView): readonly PlannedTrim[] {
  const nodes = new Map(view.nodes.map((node) => [node.nodeId, node]));
  const trims: PlannedTrim[] = [];
  for (const chunk of view.chunks) {
    if (trims.length >= view.trimsMax) break;
    const holders = chunk.confirmedNodeIds.map((nodeId) => nodes.get(nodeId)).filter((node) => node !== undefined);
    const trim = planTrim(chunk, holders, view);
    if (trim !== undefined) trims.push(trim);
  }
  return trims;
}

function planTrim(chunk: OverChunk, holders: readonly CopyNode[], view: TrimView): PlannedTrim | undefined {
  const { chunkId, moveTargetId } = chunk;
  const solid = holders.filter((node) => node.isActive && node.liveness === "live");
  if (solid.length < view.replication) return undefined;
  const leaving = holders.find((node) => node.isLeaving);
  if (leaving !== undefined) return { chunkId, nodeId: leaving.nodeId, reason: "drained" };
  if (solid.length <= view.replication) return undefined;
  const isMoved = solid.some((node) => node.nodeId === moveTargetId);
  if (!isMoved && chunk.overForMs < view.extraGraceMs) return undefined;
  const victim = chooseVictim(solid, isMoved ? moveTargetId : undefined);
  if (victim === undefined) return undefined;
  const reason = isMoved ? "balanced" : view.isReplicationLowered ? "replication" : "extra";
  return { chunkId, nodeId: victim.nodeId, reason };
}

/** The one without which most zones, then most racks are left; then the fullest. */
function chooseVictim(holders: readonly CopyNode[], keptId: number | undefined): CopyNode | undefined {
  const zone = (node: CopyNode): string => node.zone;
  const rack = (node: CopyNode): string => `${node.zone}\0${node.rack}`;
  const left = (victim: CopyNode, domain: (node: CopyNode) => string): number =>
    new Set(holders.filter((node) => node !== victim).map(domain)).size;
  const [victim] = holders
    .filter((node) => node.nodeId !== keptId)
    .toSorted(
      (one, other) =>
        left(other, zone) - left(one, zone) ||
        left(other, rack) - left(one, rack) ||
        fill(other) - fill(one) ||
        one.nodeId - other.nodeId,
    );
  return victim;
}

/** By the log and not by the node's disk, so that every choice is seen in the next one. */
function fill(node: CopyNode): number {
  return node.heldBytes / Math.max(1, node.capacityBytes);
}
