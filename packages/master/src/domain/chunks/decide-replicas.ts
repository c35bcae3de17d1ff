import { isPlanted } from "@holdfast/base";
import type { DecideContext } from "../decision.ts";
import type { DomainEvent, TrimOrdered } from "../events.ts";
import { drillBehindDamage } from "../fleet/drills.ts";
import { standingsIn } from "../fleet/standing.ts";
import { nodeIntent, nodeTable } from "../fleet/tables.ts";
import { clusterTable, readCounter } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { chunkTable, grantedTable, isHeld, trimTable, type ChunkRow } from "./tables.ts";

/** A copy as a node reports it. */
export interface HeldCopy {
  readonly chunkId: number;
  readonly generation: number;
  readonly lengthBytes: number;
}

/** What a node says about its copies. */
export interface CopyReport {
  readonly nodeId: number;
  /** Durable and verified since the last report. */
  readonly added: readonly HeldCopy[];
  /** Found damaged and put aside. */
  readonly corrupt: readonly HeldCopy[];
  /** Trim orders carried out (or without anything to carry out). */
  readonly trimmed: readonly HeldCopy[];
  /** Seen in a full listing; proves that a copy is there, not that it was verified anew. */
  readonly listed: readonly HeldCopy[];
  /** Expected, and not in a full listing. */
  readonly missingChunkIds: readonly number[];
}

/**
 * The facts in a node's report: only what differs from the tables, so a repeated report gives no events. Copies of
 * chunks the log never gave out are left alone, copies of chunks that are over are ordered away; copies that were ordered
 * away do not count again; a removed node's do not at all.
 */
export function decideCopyReport(
  tables: TableReader,
  report: CopyReport,
  context: Pick<DecideContext, "term">,
): readonly DomainEvent[] {
  const { nodeId } = report;
  if (tables.get(nodeTable, [nodeId])?.intent === nodeIntent.removed) return [];
  const events: DomainEvent[] = [];
  const confirmed = new Set<number>();
  const leftOver = new Map<number, number>();
  const take = (copy: HeldCopy, wasRewritten: boolean): void => {
    const row = tables.get(chunkTable, [copy.chunkId]);
    if (row === undefined) {
      if (isLeftOver(tables, nodeId, copy.chunkId)) leftOver.set(copy.chunkId, copy.generation);
      return;
    }
    // A copy called damaged counts again only when the node wrote it anew, which comes as `added`.
    if (!wasRewritten && row.corruptNodeIds.includes(nodeId)) return;
    if (isNewCopy(tables, row, { nodeId, copy })) confirmed.add(copy.chunkId);
  };
  for (const copy of report.added) take(copy, true);
  for (const copy of report.listed) take(copy, false);
  const corrupt = report.corrupt
    .map((copy) => copy.chunkId)
    .filter((chunkId) => !isKnownDamaged(tables, { nodeId, chunkId }));
  const counts = (chunkId: number): boolean =>
    tables.get(chunkTable, [chunkId])?.confirmedNodeIds.includes(nodeId) === true;
  const missing = report.missingChunkIds.filter((chunkId) => counts(chunkId) && !corrupt.includes(chunkId));
  for (const chunkId of corrupt) confirmed.delete(chunkId);
  if (confirmed.size > 0) events.push({ kind: "replicaConfirmed", chunkIds: [...confirmed], nodeId });
  events.push(...damagedCopies(tables, nodeId, corrupt));
  if (missing.length > 0)
    events.push({ kind: "replicaLost", chunkIds: missing, nodeId, reason: "missing", drillId: 0 });
  for (const copy of report.trimmed) {
    if (tables.get(trimTable, [nodeId, copy.chunkId]) === undefined) continue;
    events.push({ kind: "replicaTrimmed", chunkId: copy.chunkId, nodeId });
  }
  for (const [chunkId, generation] of leftOver) {
    const order = { chunkId, generation, nodeId, term: context.term, reason: "left-over", confirmedNodeIds: [] };
    events.push({ kind: "trimOrdered", ...order });
  }
  return events;
}

/**
 * Whether a copy whose chunk has no row came after its chunk was over: its bytes were held up on the way to the node while
 * the chunk was committed elsewhere, purged and trimmed everywhere. Ids are given once, so nobody can ever want it. An id
 * that this log did not give out proves nothing: the log may be the one that is wrong.
 */
function isLeftOver(tables: TableReader, nodeId: number, chunkId: number): boolean {
  if (chunkId > readCounter(tables, "id:chunk")) return false;
  if (tables.get(grantedTable, [chunkId]) !== undefined) return false;
  return tables.get(trimTable, [nodeId, chunkId]) === undefined;
}

/** ReplicaLost for damaged copies; those that a drill damaged are a fact of their own, which names it. */
export function damagedCopies(
  tables: TableReader,
  nodeId: number,
  chunkIds: readonly number[],
): readonly DomainEvent[] {
  const byDrill = Map.groupBy(chunkIds, (chunkId) => drillBehindDamage(tables, nodeId, chunkId));
  return [...byDrill].map(([drillId, ids]) => {
    return { kind: "replicaLost", chunkIds: ids, nodeId, reason: "corrupt", drillId };
  });
}

/** Orders away every copy of chunks that nobody needs: garbage, and granted ids whose time ran out. */
export function decideTrimGarbage(
  tables: TableReader,
  chunkIds: readonly number[],
  context: DecideContext,
): readonly DomainEvent[] {
  return chunkIds.flatMap((chunkId) => {
    const row = tables.get(chunkTable, [chunkId]);
    if (row !== undefined) return isHeld(row) ? [] : trimEverywhere(tables, { chunkId, row }, context);
    const granted = tables.get(grantedTable, [chunkId]);
    if (granted === undefined || context.atMs < granted.expiresAtMs) return [];
    return granted.nodeIds.flatMap((nodeId) =>
      trimOf(tables, {
        kind: "trimOrdered",
        chunkId,
        generation: 1,
        nodeId,
        term: context.term,
        reason: "grant-expired",
        confirmedNodeIds: [],
      }),
    );
  });
}

/** An order; for a node that was removed also that it is carried out: its copies went with it. */
export function trimOf(tables: TableReader, order: TrimOrdered): readonly DomainEvent[] {
  const { chunkId, nodeId } = order;
  if (tables.get(nodeTable, [nodeId])?.intent !== nodeIntent.removed) return [order];
  return [order, { kind: "replicaTrimmed", chunkId, nodeId }];
}

/**
 * Orders one copy away of a chunk that is needed, or nothing when that is not safe: as many other copies as the cluster
 * keeps must be confirmed on nodes that are heard now and shall stay, and not be ordered away themselves. `reason` is that of
 * the event: "extra" (the default), "drained", "balanced", "replication".
 */
export function decideTrimExtra(
  tables: TableReader,
  copy: { readonly chunkId: number; readonly nodeId: number; readonly reason?: string },
  context: DecideContext,
): readonly DomainEvent[] {
  const { chunkId, nodeId } = copy;
  const row = tables.get(chunkTable, [chunkId]);
  const replication = tables.get(clusterTable, [])?.replication;
  if (row === undefined || replication === undefined || !isHeld(row) || !row.confirmedNodeIds.includes(nodeId))
    return [];
  const confirmedNodeIds = solidCopies(tables, row, context).filter((other) => other !== nodeId);
  if (confirmedNodeIds.length < replication) return [];
  return [
    {
      kind: "trimOrdered",
      chunkId,
      generation: row.generation,
      nodeId,
      term: context.term,
      reason: copy.reason ?? "extra",
      confirmedNodeIds,
    },
  ];
}

/** Nodes whose copy is proof enough to remove another one: up and active in the log, and heard at this moment. */
export function solidCopies(tables: TableReader, row: ChunkRow, context: DecideContext): readonly number[] {
  const { isSolid } = standingsIn(tables);
  return row.confirmedNodeIds.filter((nodeId) => isSolid(nodeId) && context.nodes.get(nodeId)?.liveness === "live");
}

function trimEverywhere(
  tables: TableReader,
  chunk: { readonly chunkId: number; readonly row: ChunkRow },
  context: DecideContext,
): DomainEvent[] {
  const { chunkId, row } = chunk;
  const nodeIds = [...new Set([...row.placedNodeIds, ...row.confirmedNodeIds])].sort((left, right) => left - right);
  const reason = row.placedNodeIds.length === 0 ? "extra" : "purged";
  return nodeIds
    .filter((nodeId) => tables.get(trimTable, [nodeId, chunkId]) === undefined)
    .flatMap((nodeId) => {
      const { generation, confirmedNodeIds } = row;
      const { term } = context;
      return trimOf(tables, { kind: "trimOrdered", chunkId, generation, nodeId, term, reason, confirmedNodeIds });
    });
}

function isNewCopy(
  tables: TableReader,
  row: ChunkRow,
  { nodeId, copy }: { readonly nodeId: number; readonly copy: HeldCopy },
): boolean {
  if (row.generation !== copy.generation || row.lengthBytes !== copy.lengthBytes) return false;
  if (row.confirmedNodeIds.includes(nodeId)) return false;
  return isPlanted("orderedAwayCounts") || tables.get(trimTable, [nodeId, copy.chunkId]) === undefined;
}

function isKnownDamaged(
  tables: TableReader,
  { nodeId, chunkId }: { readonly nodeId: number; readonly chunkId: number },
): boolean {
  const row = tables.get(chunkTable, [chunkId]);
  return row === undefined || row.corruptNodeIds.includes(nodeId);
}
