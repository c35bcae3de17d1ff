import type { DecideContext, DecideResult, Decision } from "../decision.ts";
import { clusterTable } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { countHeldCopies } from "../chunks/node-copy-sets.ts";
import { countLosses, type NodeLosses } from "./losses.ts";
import type { FleetOrderOf } from "./orders.ts";
import { chunksText, decided, findNode, flawOfText, namesOf, refuse, unchanged } from "./refusals.ts";
import { replacementTable } from "./replacements.ts";
import { copiesAreSolid, copiesCount, standingsIn } from "./standing.ts";
import { listNodes, nodeIntent, nodeOrderTable, nodeTable, type NodeRow } from "./tables.ts";

const minuteMs = 60_000;
/** The longest maintenance. */
const maintenanceMsMax = 24 * 60 * minuteMs;

/** Errors: `notFound`, `invalidArgument`, `precondition` (removed, or too few other nodes). */
export function decideDrain(
  tables: TableReader,
  order: FleetOrderOf<"drainNode">,
  _context: DecideContext,
): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found;
  const row = found.value;
  const flaw = flawOfText(order.reason, "The reason");
  if (flaw !== undefined) return refuse("invalidArgument", flaw);
  if (row.intent === nodeIntent.draining || row.intent === nodeIntent.drained) return unchanged;
  if (row.intent === nodeIntent.failed) {
    return refuse(
      "precondition",
      `${row.name} is declared failed: its copies don't count, and are made anew from the others. Remove it, or activate it first.`,
    );
  }
  const replication = replicationOf(tables);
  const others = listNodes(tables).filter((other) => other.nodeId !== row.nodeId && copiesAreSolid(other));
  if (others.length < replication) {
    return refuse(
      "precondition",
      `${row.name} can't be drained: ${replication} copies of every chunk are wanted, and ${others.length} other ` +
        `${others.length === 1 ? "node is" : "nodes are"} up and active (${others.map((other) => other.name).join(", ") || "none"}). ` +
        "Add a node, activate one, or lower the number of copies first.",
    );
  }
  const copiesTotal = countHeldCopies(tables, row.nodeId);
  return decided({ kind: "nodeDraining", nodeId: row.nodeId, reason: order.reason, copiesTotal });
}

/** Errors: `notFound`, `precondition` (removed or replaced). */
export function decideActivate(tables: TableReader, order: FleetOrderOf<"activateNode">): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found;
  const { nodeId, intent, name } = found.value;
  if (intent === nodeIntent.active) return unchanged;
  const replacement = tables.get(replacementTable, [nodeId]);
  if (replacement !== undefined) {
    return refuse(
      "precondition",
      `${name} was replaced by ${namesOf(tables, [replacement.byNodeId])} and only gives its copies away. It can't work again.`,
    );
  }
  const reason =
    intent === nodeIntent.maintenance ? "maintenance-over" : intent === nodeIntent.failed ? "readmitted" : "cancelled";
  return decided({ kind: "nodeActivated", nodeId, reason });
}

/** Errors: `notFound`, `invalidArgument`, `precondition` (removed, declared failed, or chunks could not be read meanwhile). */
export function decideMaintenance(
  tables: TableReader,
  order: FleetOrderOf<"startMaintenance">,
  context: DecideContext,
): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found;
  const row = found.value;
  const { nodeId, durationMs, reason } = order;
  const flaw = flawOfText(reason, "The reason");
  if (flaw !== undefined) return refuse("invalidArgument", flaw);
  if (durationMs < 1 || durationMs > maintenanceMsMax)
    return refuse("invalidArgument", "Maintenance lasts at most 24 hours.");
  if (row.intent === nodeIntent.failed) {
    return refuse("precondition", `${row.name} is declared failed. Activate it first, or replace it.`);
  }
  if (row.intent === nodeIntent.draining || row.intent === nodeIntent.drained) {
    return refuse("precondition", `${row.name} is being drained, which maintenance would end. Cancel the drain first.`);
  }
  const isLeft = (other: number): boolean => isReliable(tables, other, context);
  const losses = countLosses(tables, nodeId, { isLeft, wanted: 1 });
  if (losses.lastCopiesCount > 0 && !order.isForced) {
    return refuse(
      "precondition",
      `${explainLast(tables, row, losses)} Wait for repair, or force it: they can't be read meanwhile.`,
    );
  }
  return decided({ kind: "maintenanceStarted", nodeId, endsAtMs: context.atMs + durationMs, reason });
}

/** Errors: `notFound`, `invalidArgument`, `precondition` (removed, or chunks would be without any other copy). */
export function decideFail(tables: TableReader, order: FleetOrderOf<"failNode">): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found;
  const row = found.value;
  const flaw = flawOfText(order.reason, "The reason");
  if (flaw !== undefined) return refuse("invalidArgument", flaw);
  if (row.intent === nodeIntent.failed) return unchanged;
  const losses = countLosses(tables, row.nodeId, { isLeft: standingsIn(tables).counts, wanted: 1 });
  if (losses.lastCopiesCount > 0 && !order.isForced) {
    return refuse(
      "precondition",
      `${explainLast(tables, row, losses)} Wait for repair, or force it: they are lost while ${row.name} stays away.`,
    );
  }
  return decided({ kind: "nodeFailed", nodeId: row.nodeId, reason: order.reason });
}

/**
 * Errors: `notFound`, `precondition` (it holds copies that are needed; with `isForced` only a last copy refuses).
 * Removing what is removed changes nothing.
 */
export function decideRemove(tables: TableReader, order: FleetOrderOf<"removeNode">): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found.error.kind === "precondition" ? unchanged : found;
  const row = found.value;
  const standings = standingsIn(tables);
  const losses = countLosses(tables, row.nodeId, { isLeft: standings.stays, wanted: replicationOf(tables) });
  const last = countLosses(tables, row.nodeId, { isLeft: standings.counts, wanted: 1 });
  if (last.lastCopiesCount > 0) {
    return refuse(
      "precondition",
      `${explainLast(tables, row, last)} A last copy is never given up: drain ${row.name}, bring those nodes back, or delete the files for good.`,
    );
  }
  if (losses.shortCount > 0 && !order.isForced) {
    return refuse(
      "precondition",
      `${row.name} still holds copies of ${chunksText(losses.shortCount)} that would have fewer copies than wanted without it. ` +
        "Drain it first and wait until it is drained, or force it: repair makes the copies anew from the others.",
    );
  }
  return decided({ kind: "nodeRemoved", nodeId: row.nodeId, copiesLeft: losses.copiesCount });
}

/** Maintenance that is over by this time; for the controller. */
export function decideEndMaintenance(tables: TableReader, atMs: number): Decision {
  const over = listNodes(tables).filter(
    (row) => row.intent === nodeIntent.maintenance && (tables.get(nodeOrderTable, [row.nodeId])?.endsAtMs ?? 0) <= atMs,
  );
  const events = over.map(({ nodeId }) => ({ kind: "nodeActivated" as const, nodeId, reason: "maintenance-over" }));
  return { events, outcome: {} };
}

/** Copies there are there now and will be in a while: up, heard at this moment, and not about to go. */
function isReliable(tables: TableReader, nodeId: number, context: DecideContext): boolean {
  const row = tables.get(nodeTable, [nodeId]);
  if (row === undefined || !copiesCount(row) || row.intent === nodeIntent.maintenance) return false;
  const liveness = context.nodes.get(nodeId)?.liveness;
  return liveness === "live" || liveness === "unknown";
}

function explainLast(tables: TableReader, row: NodeRow, { lastCopiesCount, unusableNodeIds }: NodeLosses): string {
  const others =
    unusableNodeIds.length === 0
      ? "no other node has a copy of them"
      : `the other copies are on ${namesOf(tables, unusableNodeIds)}, which can't be counted on now`;
  return `${row.name} holds the last copy of ${chunksText(lastCopiesCount)}: ${others}.`;
}

function replicationOf(tables: TableReader): number {
  return tables.get(clusterTable, [])?.replication ?? 1;
}
