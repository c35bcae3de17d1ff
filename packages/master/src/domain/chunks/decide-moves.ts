import type { DecideContext } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { standingsIn } from "../fleet/standing.ts";
import { clusterTable } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { solidCopies } from "./decide-replicas.ts";
import { decidePlaceReplicas, type WantedCopy } from "./decide-placed.ts";
import { chunkTable, isHeld, moveTable } from "./tables.ts";

/** Begins moves: places for balance, for chunks that have all their copies and are not being moved already. */
export function decideBeginMoves(tables: TableReader, wanted: readonly WantedCopy[]): readonly DomainEvent[] {
  const replication = tables.get(clusterTable, [])?.replication;
  if (replication === undefined) return [];
  const { stays } = standingsIn(tables);
  const fit = wanted.filter(({ chunkId }) => {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || tables.get(moveTable, [chunkId]) !== undefined) return false;
    return row.confirmedNodeIds.filter(stays).length >= replication;
  });
  return decidePlaceReplicas(tables, fit, "balance");
}

/**
 * Gives up moves whose target did not get its copy: the place is ordered away, while the chunk has all its other copies.
 * One that got its copy in the meantime, or whose chunk lacks copies, is left alone: repair can use the place.
 */
export function decideCancelMoves(
  tables: TableReader,
  chunkIds: readonly number[],
  context: DecideContext,
): readonly DomainEvent[] {
  const replication = tables.get(clusterTable, [])?.replication ?? 1;
  return chunkIds.flatMap((chunkId) => {
    const move = tables.get(moveTable, [chunkId]);
    const row = tables.get(chunkTable, [chunkId]);
    if (move === undefined || row === undefined || !isHeld(row)) return [];
    const nodeId = move.targetNodeId;
    const confirmedNodeIds = solidCopies(tables, row, context).filter((other) => other !== nodeId);
    if (row.confirmedNodeIds.includes(nodeId) || confirmedNodeIds.length < replication) return [];
    const { generation } = row;
    const evidence = { term: context.term, reason: "extra", confirmedNodeIds };
    return [{ kind: "trimOrdered", chunkId, generation, nodeId, ...evidence } satisfies DomainEvent];
  });
}
