import { isPlanted, must, ok, refused, type Result } from "@holdfast/base";
import type { GrantChunks, ReportBadReplica, WrittenChunk } from "../commands.ts";
import type { DecideContext, DecideResult, Refusal } from "../decision.ts";
import type { ChunkPlaced, DomainEvent } from "../events.ts";
import { drillBehindDamage } from "../fleet/drills.ts";
import { placementNodes } from "../fleet/placement-nodes.ts";
import { standingsIn } from "../fleet/standing.ts";
import { nodeIntent, nodeTable } from "../fleet/tables.ts";
import { clusterTable, nextIds, type ClusterRecord } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { planPlacement } from "./placement/plan.ts";
import { chunkTable, grantedTable } from "./tables.ts";

/** Granted chunks that are not committed after so long become garbage. */
export const grantLifetimeMs = 15 * 60_000;

/** Chunks of one grant. */
export const grantChunksMax = 256;

/**
 * Proves that written chunks may be committed: each one granted and not expired by leader time, of a sound length and
 * hash, on known nodes, with the minimum of durable copies on different nodes, and not in use by anybody. Gives one
 * ChunkPlaced each; who holds them is said by the events that follow. Errors: `invalidArgument`, `precondition`.
 */
export function decideChunksWritten(
  tables: TableReader,
  chunks: readonly WrittenChunk[],
  context: DecideContext,
): Result<readonly DomainEvent[], Refusal> {
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return refuse("unavailable", "The cluster is not initialised yet. Try again in a moment.");
  const events: ChunkPlaced[] = [];
  const seen = new Set<number>();
  for (const chunk of chunks) {
    if (seen.has(chunk.chunkId)) return refuse("invalidArgument", `Chunk ${chunk.chunkId} is named twice.`);
    seen.add(chunk.chunkId);
    const flaw = flawOf(tables, chunk, {
      chunkSizeBytes: cluster.chunkSizeBytes,
      writeCopiesMin: context.writeCopiesMin,
    });
    if (flaw !== undefined) return refused(flaw);
    const obstacle = grantObstacle(tables, chunk, context);
    if (obstacle !== undefined) return refused(obstacle);
    events.push(placedEvent(tables, chunk));
  }
  return ok(events);
}

/**
 * Ids and places to write to. Errors: `invalidArgument` (count), `noSpace`, `unavailable` (too few live nodes); both say
 * which nodes stand in the way and why.
 */
export function decideGrantChunks(tables: TableReader, command: GrantChunks, context: DecideContext): DecideResult {
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return refuse("unavailable", "The cluster is not initialised yet. Try again in a moment.");
  if (!Number.isInteger(command.count) || command.count < 1 || command.count > grantChunksMax) {
    return refuse("invalidArgument", `A grant is for 1 to ${grantChunksMax} chunks.`);
  }
  const nodes = placementNodes(tables, context);
  const chunkIds = nextIds(tables, "chunk", command.count);
  const planned = planPlacement({
    nodes,
    chunkIds,
    copies: cluster.replication,
    copiesMin: copiesNeeded(cluster, context),
    chunkSizeBytes: cluster.chunkSizeBytes,
    avoidNodeIds: command.avoidNodeIds,
  });
  if (!planned.ok) return refused(planned.error);
  const addressById = new Map(nodes.map((node) => [node.nodeId, node.address]));
  const [grantId = 1] = nextIds(tables, "grant");
  const expiresAtMs = context.atMs + grantLifetimeMs;
  const chunks = chunkIds.map((chunkId, index) => ({
    chunkId,
    nodeIds: must(planned.value[index], "a plan has a set for each chunk"),
  }));
  const places = chunks.map(({ chunkId, nodeIds }) => ({
    chunkId,
    places: nodeIds.map((nodeId) => ({
      nodeId,
      address: must(addressById.get(nodeId), "places are nodes of the cluster"),
    })),
  }));
  return ok({
    events: [{ kind: "chunksGranted", grantId, gateway: command.gateway, chunks, expiresAtMs }],
    outcome: { grant: { grantId, chunks: places, expiresAtMs, lifetimeMs: grantLifetimeMs } },
  });
}

/**
 * A reader found a copy missing or damaged. Nothing to do when the copy does not count anyway. A reader's word alone
 * does not take away the last copy that counts: its node has to say so itself. Errors: `notFound`, `invalidArgument`.
 */
export function decideReportBadReplica(
  tables: TableReader,
  command: ReportBadReplica,
  _context: DecideContext,
): DecideResult {
  const { chunkId, nodeId, reason } = command;
  if (reason !== "missing" && reason !== "corrupt")
    return refuse("invalidArgument", 'The reason is "missing" or "corrupt".');
  const row = tables.get(chunkTable, [chunkId]);
  if (row === undefined) return refuse("notFound", `There is no chunk ${chunkId}.`);
  const others = row.confirmedNodeIds.filter((other) => other !== nodeId);
  if (others.length === row.confirmedNodeIds.length || !others.some(standingsIn(tables).counts)) {
    return ok({ events: [], outcome: {} });
  }
  const drillId = reason === "corrupt" ? drillBehindDamage(tables, nodeId, chunkId) : 0;
  return ok({ events: [{ kind: "replicaLost", chunkIds: [chunkId], nodeId, reason, drillId }], outcome: {} });
}

/** Durable copies a write needs; never more than the cluster keeps. */
function copiesNeeded(cluster: ClusterRecord, context: DecideContext): number {
  return Math.max(1, Math.min(context.writeCopiesMin, cluster.replication));
}

function flawOf(
  tables: TableReader,
  chunk: WrittenChunk,
  limits: { readonly chunkSizeBytes: number; readonly writeCopiesMin: number },
): Refusal | undefined {
  const name = `Chunk ${chunk.chunkId}`;
  if (chunk.generation !== 1)
    return { kind: "invalidArgument", message: `${name} has generation ${chunk.generation}; a new chunk has 1.` };
  if (chunk.lengthBytes < 1 || chunk.lengthBytes > limits.chunkSizeBytes) {
    return {
      kind: "invalidArgument",
      message: `${name} has ${chunk.lengthBytes} bytes; a chunk has 1 to ${limits.chunkSizeBytes}.`,
    };
  }
  if (chunk.sha256.length !== 32) return { kind: "invalidArgument", message: `${name} lacks its SHA-256.` };
  const stranger = chunk.nodeIds.find((nodeId) => tables.get(nodeTable, [nodeId]) === undefined);
  if (stranger !== undefined)
    return { kind: "invalidArgument", message: `${name} is said to be on node ${stranger}, which does not exist.` };
  if (chunk.confirmedNodeIds.some((nodeId) => !chunk.nodeIds.includes(nodeId))) {
    return { kind: "invalidArgument", message: `${name} is confirmed by a node it was not placed on.` };
  }
  // A node that was declared failed or removed while the bytes were on their way proves nothing.
  const confirmed = new Set(chunk.confirmedNodeIds.filter((nodeId) => isTrusted(tables, nodeId)));
  const replication = tables.get(clusterTable, [])?.replication ?? 1;
  const needed = Math.max(1, Math.min(limits.writeCopiesMin, replication));
  if (confirmed.size < needed && !isPlanted("commitBelowMinimum")) {
    const message = `${name} has ${confirmed.size} durable copies of the ${needed} needed. Nothing was committed; write it again.`;
    return { kind: "precondition", message };
  }
  return undefined;
}

function grantObstacle(tables: TableReader, chunk: WrittenChunk, context: DecideContext): Refusal | undefined {
  if (tables.get(chunkTable, [chunk.chunkId]) !== undefined) {
    return {
      kind: "precondition",
      message: `Chunk ${chunk.chunkId} is in use already. Write the bytes again under a new grant.`,
    };
  }
  const granted = tables.get(grantedTable, [chunk.chunkId]);
  if (granted === undefined) {
    return {
      kind: "precondition",
      message: `Chunk ${chunk.chunkId} was not granted, or its grant ended. Write it again under a new grant.`,
    };
  }
  if (context.atMs >= granted.expiresAtMs) {
    return {
      kind: "precondition",
      message: `The grant of chunk ${chunk.chunkId} ended. Write it again under a new grant.`,
    };
  }
  return undefined;
}

function isTrusted(tables: TableReader, nodeId: number): boolean {
  const intent = tables.get(nodeTable, [nodeId])?.intent;
  return intent !== nodeIntent.failed && intent !== nodeIntent.removed;
}

function placedEvent(tables: TableReader, chunk: WrittenChunk): ChunkPlaced {
  const { chunkId, generation, lengthBytes, sha256 } = chunk;
  const isThere = (nodeId: number): boolean => tables.get(nodeTable, [nodeId])?.intent !== nodeIntent.removed;
  const nodeIds = chunk.nodeIds.filter(isThere);
  const confirmedNodeIds = chunk.confirmedNodeIds.filter(isThere);
  return {
    kind: "chunkPlaced",
    chunkId,
    generation,
    lengthBytes,
    sha256,
    nodeIds: [...new Set(nodeIds)],
    confirmedNodeIds: [...new Set(confirmedNodeIds)],
  };
}

function refuse(kind: Refusal["kind"], message: string): { readonly ok: false; readonly error: Refusal } {
  return refused({ kind, message });
}
