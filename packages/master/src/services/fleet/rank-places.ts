import { create } from "@bufbuild/protobuf";
import { ChunkPlaceSchema, type ChunkPlace } from "@holdfast/proto/master/v1/master";
import type { ObservedNode } from "../../domain/decision.ts";
import { copiesCount } from "../../domain/fleet/standing.ts";
import { nodeTable, type NodeRow } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";

/** Orders the nodes that hold copies for a reader. */
export type PlaceRanker = (tables: TableReader, nodeIds: readonly number[]) => readonly ChunkPlace[];

/**
 * Nodes whose copies count, live ones first, slow ones last of those, the least loaded before the others; equals take turns, because loads are only told
 * once a second. When all are down they are named nevertheless: a wrongly dead node may still be able to answer.
 */
export function createPlaceRanker(observedNodes: () => ReadonlyMap<number, ObservedNode>): PlaceRanker {
  let turn = 0;
  return (tables, nodeIds) => {
    const observed = observedNodes();
    const rows = nodeIds.map((nodeId) => tables.get(nodeTable, [nodeId])).filter((row) => row !== undefined);
    const up = rows.filter((row) => copiesCount(row));
    turn += 1;
    const ranked = (up.length > 0 ? up : rows).map((row, position) => ({
      row,
      rank: rankOf(row, observed),
      turn: (position + turn) % nodeIds.length,
    }));
    ranked.sort((left, right) => left.rank - right.rank || left.turn - right.turn);
    return ranked.map(({ row }) => create(ChunkPlaceSchema, { nodeId: row.nodeId, address: row.address }));
  };
}

/** Streams in progress that make a difference worth preferring another node for. */
const loadStep = 4;

function rankOf(row: NodeRow, observed: ReadonlyMap<number, ObservedNode>): number {
  const node = observed.get(row.nodeId);
  if (node === undefined) return 10_000;
  const byLiveness = { live: 0, unknown: 10_000, suspect: 20_000, dead: 30_000 }[node.liveness];
  const byCaution = node.caution?.isGray === true ? 5000 : 0;
  const bySteps = Math.floor((node.activeReadCount + node.activeWriteCount) / loadStep);
  return byLiveness + byCaution + Math.min(bySteps, 4999);
}
