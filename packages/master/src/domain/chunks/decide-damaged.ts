import type { DecideContext } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { clusterTable } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { solidCopies, trimOf } from "./decide-replicas.ts";
import { chunkTable, isHeld, trimTable } from "./tables.ts";

/**
 * Gives up the places of damaged copies of chunks that have all their copies elsewhere. As with every removal of a copy that
 * somebody needs: the other copies must be confirmed on nodes that are heard now and shall stay. Idempotent.
 */
export function decideDropDamaged(
  tables: TableReader,
  chunkIds: readonly number[],
  context: DecideContext,
): readonly DomainEvent[] {
  const replication = tables.get(clusterTable, [])?.replication;
  if (replication === undefined) return [];
  return chunkIds.flatMap((chunkId) => {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || !isHeld(row)) return [];
    const confirmedNodeIds = solidCopies(tables, row, context);
    if (confirmedNodeIds.length < replication) return [];
    return row.corruptNodeIds
      .filter((nodeId) => !row.confirmedNodeIds.includes(nodeId))
      .filter((nodeId) => tables.get(trimTable, [nodeId, chunkId]) === undefined)
      .flatMap((nodeId) => {
        const { generation } = row;
        const { term } = context;
        const order = { chunkId, generation, nodeId, term, reason: "damaged", confirmedNodeIds };
        return trimOf(tables, { kind: "trimOrdered", ...order });
      });
  });
}
