import type { DomainEvent } from "../events.ts";
import { nodeIntent, nodeTable } from "../fleet/tables.ts";
import type { TableReader } from "../tables.ts";
import { chunkTable, isHeld, trimTable } from "./tables.ts";

/** What is still expected of a node. */
export interface ExpectedOfNode {
  readonly nodeId: number;
  /** Chunks whose copy there was ordered away. */
  readonly trimChunkIds: readonly number[];
  /** Chunks with a confirmed copy there. */
  readonly copyChunkIds: readonly number[];
}

/**
 * Writes off what is expected of a node that was removed: its trims count as carried out, copies that somebody needs as
 * lost, and the others as trimmed, so that garbage does not wait for it.
 */
export function decideForgetCopies(tables: TableReader, expected: ExpectedOfNode): readonly DomainEvent[] {
  const { nodeId, trimChunkIds, copyChunkIds } = expected;
  if (tables.get(nodeTable, [nodeId])?.intent !== nodeIntent.removed) return [];
  const gone = trimChunkIds.filter((chunkId) => tables.get(trimTable, [nodeId, chunkId]) !== undefined);
  const lost: number[] = [];
  for (const chunkId of copyChunkIds) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || !row.confirmedNodeIds.includes(nodeId) || gone.includes(chunkId)) continue;
    (isHeld(row) ? lost : gone).push(chunkId);
  }
  const events: DomainEvent[] = gone.map((chunkId) => ({ kind: "replicaTrimmed", chunkId, nodeId }));
  if (lost.length > 0) events.push({ kind: "replicaLost", chunkIds: lost, nodeId, reason: "removed", drillId: 0 });
  return events;
}
