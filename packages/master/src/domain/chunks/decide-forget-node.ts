import type { Decision } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { nodeIntent, nodeTable } from "../fleet/tables.ts";
import type { TableReader } from "../tables.ts";
import { chunkTable, isHeld, trimTable } from "./tables.ts";

/** What was found of a node that is no longer part of the cluster. */
export interface NodeRemains {
  readonly nodeId: number;
  /** Chunks with a confirmed copy there. */
  readonly copyChunkIds: readonly number[];
  /** Chunks with a trim order that nobody will carry out any more. */
  readonly trimChunkIds: readonly number[];
}

/** Takes a removed node out of its chunks' rows: its copies are gone with it, and so are the orders it was given. */
export function decideForgetNode(tables: TableReader, { nodeId, copyChunkIds, trimChunkIds }: NodeRemains): Decision {
  if (tables.get(nodeTable, [nodeId])?.intent !== nodeIntent.removed) return { events: [], outcome: {} };
  const lost: number[] = [];
  const gone = trimChunkIds.filter((chunkId) => tables.get(trimTable, [nodeId, chunkId]) !== undefined);
  for (const chunkId of copyChunkIds) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || !row.confirmedNodeIds.includes(nodeId) || gone.includes(chunkId)) continue;
    if (isHeld(row)) lost.push(chunkId);
    else gone.push(chunkId);
  }
  const events: DomainEvent[] = gone.map((chunkId) => ({ kind: "replicaTrimmed", chunkId, nodeId }));
  if (lost.length > 0) events.push({ kind: "replicaLost", chunkIds: lost, nodeId, reason: "removed", drillId: 0 });
  return { events, outcome: {} };
}
