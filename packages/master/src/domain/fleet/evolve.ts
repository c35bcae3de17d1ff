import { exhaustive, must } from "@holdfast/base";
import type { EventOf } from "../events.ts";
import type { EvolveContext } from "../evolve-context.ts";
import { clusterTable, housekeepingTable, noteId } from "../state.ts";
import type { Tables } from "../tables.ts";
import { addDrill, endDrill } from "./drills.ts";
import { noteFlap } from "./flapping.ts";
import type { FleetFact } from "./fleet-events.ts";
import { addJoinToken, endJoinToken, joinTokenState } from "./join-tokens.ts";
import { replacementTable, tokenReplacesTable } from "./replacements.ts";
import {
  nodeByNameTable,
  nodeByUuidTable,
  nodeIntent,
  nodeOrderTable,
  nodeTable,
  type NodeOrderRow,
  type NodeRow,
} from "./tables.ts";

/**
 * Folds one fact about the fleet. None of them touches chunks: which copies count follows from the node's row when it is
 * asked (`standing.ts`), so the death of a node costs one row however much it holds.
 */
export function evolveFleet(tables: Tables, event: FleetFact, context: EvolveContext): void {
  switch (event.kind) {
    case "nodeJoined":
      return onJoined(tables, event, context);
    case "nodeReported": {
      const { kind: _, nodeId, ...facts } = event;
      return changeNode(tables, nodeId, facts);
    }
    case "nodeDown":
      // Who is away with leave, or by a drill, is not called unreliable for it.
      if (event.drillId === 0 && nodeOf(tables, event.nodeId).intent !== nodeIntent.maintenance)
        noteFlap(tables, event.nodeId, context.atMs);
      return changeNode(tables, event.nodeId, { isDown: true, downReason: event.reason, changedAtMs: context.atMs });
    case "nodeUp":
      return changeNode(tables, event.nodeId, { isDown: false, downReason: "", changedAtMs: context.atMs });
    case "nodeLabelled":
      return changeNode(tables, event.nodeId, { zone: event.zone, rack: event.rack });
    case "replicationChanged":
      return onReplicationChanged(tables, event);
    case "housekeepingChanged": {
      const { isBalancePaused, isRepairPaused, isMassLossAccepted } = event;
      return tables.set(housekeepingTable, [], { isBalancePaused, isRepairPaused, isMassLossAccepted });
    }
    case "joinTokenIssued":
    case "joinTokenRevoked":
    case "drillStarted":
    case "drillEnded":
      return evolveTokensAndDrills(tables, event, context);
    default:
      return evolveIntents(tables, event, context);
  }
}

type IntentEvent = EventOf<
  | "nodeDraining"
  | "nodeDrained"
  | "nodeActivated"
  | "maintenanceStarted"
  | "nodeFailed"
  | "nodeRemoved"
  | "nodeReplaced"
>;

function evolveIntents(tables: Tables, event: IntentEvent, context: EvolveContext): void {
  const { nodeId } = event;
  const order = { sinceMs: context.atMs, actor: context.actor, endsAtMs: 0, copiesTotal: 0 };
  switch (event.kind) {
    case "nodeDraining": {
      const { reason, copiesTotal } = event;
      return changeIntent(tables, nodeId, { intent: nodeIntent.draining, order: { ...order, reason, copiesTotal } });
    }
    case "nodeDrained":
      return changeIntent(tables, nodeId, { intent: nodeIntent.drained, order: tables.get(nodeOrderTable, [nodeId]) });
    case "nodeActivated":
      return changeIntent(tables, nodeId, { intent: nodeIntent.active, order: undefined });
    case "maintenanceStarted": {
      const { reason, endsAtMs } = event;
      return changeIntent(tables, nodeId, { intent: nodeIntent.maintenance, order: { ...order, reason, endsAtMs } });
    }
    case "nodeFailed":
      return changeIntent(tables, nodeId, { intent: nodeIntent.failed, order: { ...order, reason: event.reason } });
    case "nodeRemoved":
      // Its name is free for the node that replaces it; its identity is kept, to be refused.
      tables.delete(nodeByNameTable, [nodeOf(tables, nodeId).name]);
      return changeIntent(tables, nodeId, { intent: nodeIntent.removed, order: undefined });
    case "nodeReplaced":
      return onReplaced(tables, event, context);
    default:
      return exhaustive(event);
  }
}

/** Its name goes to the newcomer, which joins in the same batch; it gives its copies away under another one. */
function onReplaced(tables: Tables, event: EventOf<"nodeReplaced">, { atMs, actor }: EvolveContext): void {
  const { nodeId, byNodeId, retiredName, copiesTotal } = event;
  const { name, intent } = nodeOf(tables, nodeId);
  tables.set(replacementTable, [nodeId], { byNodeId, replacedAtMs: atMs });
  tables.delete(nodeByNameTable, [name]);
  tables.set(nodeByNameTable, [retiredName], { nodeId });
  changeNode(tables, nodeId, { name: retiredName });
  // Who was declared failed stays so: its copies do not count.
  if (intent === nodeIntent.failed) return;
  const order = { reason: `replaced by ${name}`, sinceMs: atMs, endsAtMs: 0, copiesTotal, actor };
  changeIntent(tables, nodeId, { intent: nodeIntent.draining, order });
}

type TokenOrDrillEvent = EventOf<"joinTokenIssued" | "joinTokenRevoked" | "drillStarted" | "drillEnded">;

function evolveTokensAndDrills(tables: Tables, event: TokenOrDrillEvent, context: EvolveContext): void {
  const { atMs, actor } = context;
  switch (event.kind) {
    case "joinTokenIssued": {
      const { kind: _, replacesNodeId, ...facts } = event;
      const state = { state: joinTokenState.out, endedAtMs: 0, usedByNodeId: 0 };
      noteId(tables, "joinToken", event.joinTokenId);
      if (replacesNodeId !== 0) tables.set(tokenReplacesTable, [event.joinTokenId], { nodeId: replacesNodeId });
      return addJoinToken(tables, { ...facts, ...state, issuedAtMs: atMs, actor });
    }
    case "joinTokenRevoked": {
      const state = event.reason === "expired" ? joinTokenState.expired : joinTokenState.revoked;
      return endJoinToken(tables, event.joinTokenId, { state, endedAtMs: atMs, usedByNodeId: 0 });
    }
    case "drillStarted": {
      const { kind: _, ...facts } = event;
      noteId(tables, "drill", event.drillId);
      return addDrill(tables, { ...facts, startedAtMs: atMs, actor, endedAtMs: 0 });
    }
    case "drillEnded":
      return endDrill(tables, event.drillId, atMs);
    default:
      return exhaustive(event);
  }
}

function onJoined(tables: Tables, event: EventOf<"nodeJoined">, context: EvolveContext): void {
  const { kind: _, ...facts } = event;
  const { nodeId, joinTokenId } = event;
  const state = { intent: nodeIntent.active, isDown: false, downReason: "", changedAtMs: context.atMs };
  noteId(tables, "node", nodeId);
  tables.set(nodeTable, [nodeId], { ...facts, ...state });
  tables.set(nodeByUuidTable, [event.nodeUuid], { nodeId });
  tables.set(nodeByNameTable, [event.name], { nodeId });
  if (joinTokenId === 0) return;
  endJoinToken(tables, joinTokenId, {
    state: joinTokenState.used,
    endedAtMs: context.atMs,
    usedByNodeId: nodeId,
  });
}

function onReplicationChanged(tables: Tables, event: EventOf<"replicationChanged">): void {
  const cluster = must(tables.get(clusterTable, []), "the cluster begins before its settings change");
  tables.set(clusterTable, [], { ...cluster, replication: event.replication });
}

function changeIntent(
  tables: Tables,
  nodeId: number,
  change: { readonly intent: number; readonly order: NodeOrderRow | undefined },
): void {
  changeNode(tables, nodeId, { intent: change.intent });
  if (change.order === undefined) tables.delete(nodeOrderTable, [nodeId]);
  else tables.set(nodeOrderTable, [nodeId], change.order);
}

function changeNode(tables: Tables, nodeId: number, change: Partial<NodeRow>): void {
  tables.set(nodeTable, [nodeId], { ...nodeOf(tables, nodeId), ...change });
}

function nodeOf(tables: Tables, nodeId: number): NodeRow {
  return must(tables.get(nodeTable, [nodeId]), "a fact about a node follows its joining");
}
