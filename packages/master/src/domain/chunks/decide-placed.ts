import type { DomainEvent } from "../events.ts";
import { nodeIntent, nodeTable } from "../fleet/tables.ts";
import type { TableReader } from "../tables.ts";
import { chunkTable, isHeld, trimTable } from "./tables.ts";

/** A copy that shall be made. */
export interface WantedCopy {
  readonly chunkId: number;
  readonly nodeId: number;
}

/**
 * New places for copies, one event a node. Left out is what the tables of this moment do not allow: chunks that nobody
 * needs any more, nodes that are down or not active, places that are known already, and copies that are being ordered
 * away from that very node.
 */
export function decidePlaceReplicas(
  tables: TableReader,
  wanted: readonly WantedCopy[],
  reason: string,
): readonly DomainEvent[] {
  const byNode = new Map<number, number[]>();
  for (const { chunkId, nodeId } of wanted) {
    if (!mayPlace(tables, { chunkId, nodeId })) continue;
    const chunkIds = byNode.get(nodeId) ?? [];
    if (!chunkIds.includes(chunkId)) chunkIds.push(chunkId);
    byNode.set(nodeId, chunkIds);
  }
  return [...byNode].map(([nodeId, chunkIds]) => ({ kind: "replicaPlaced", chunkIds, nodeId, reason }));
}

function mayPlace(tables: TableReader, { chunkId, nodeId }: WantedCopy): boolean {
  const row = tables.get(chunkTable, [chunkId]);
  const node = tables.get(nodeTable, [nodeId]);
  if (row === undefined || !isHeld(row) || row.placedNodeIds.includes(nodeId)) return false;
  if (node === undefined || node.isDown || node.intent !== nodeIntent.active) return false;
  return tables.get(trimTable, [nodeId, chunkId]) === undefined;
}
