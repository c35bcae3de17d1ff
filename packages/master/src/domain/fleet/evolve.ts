import { exhaustive, must } from "@holdfast/base";
import type { EvolveContext } from "../evolve-context.ts";
import type { FleetEvent } from "../neighbours.ts";
import type { Tables } from "../tables.ts";
import { nodeByNameTable, nodeByUuidTable, nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/**
 * Folds one fact about a node. None of them touches chunks: which copies count follows from `isDown` when it is asked
 * (`domain/chunks/health.ts`), so the death of a node costs one row however much it holds.
 */
export function evolveFleet(tables: Tables, event: FleetEvent, context: EvolveContext): void {
  switch (event.kind) {
    case "nodeJoined": {
      const { kind: _, ...facts } = event;
      const state = { intent: nodeIntent.active, isDown: false, downReason: "", changedAtMs: context.atMs };
      tables.set(nodeTable, [event.nodeId], { ...facts, ...state });
      tables.set(nodeByUuidTable, [event.nodeUuid], { nodeId: event.nodeId });
      tables.set(nodeByNameTable, [event.name], { nodeId: event.nodeId });
      return;
    }
    case "nodeReported": {
      const { kind: _, ...facts } = event;
      tables.set(nodeTable, [event.nodeId], { ...nodeOf(tables, event.nodeId), ...facts });
      return;
    }
    case "nodeDown": {
      const change = { isDown: true, downReason: event.reason, changedAtMs: context.atMs };
      tables.set(nodeTable, [event.nodeId], { ...nodeOf(tables, event.nodeId), ...change });
      return;
    }
    case "nodeUp": {
      const change = { isDown: false, downReason: "", changedAtMs: context.atMs };
      tables.set(nodeTable, [event.nodeId], { ...nodeOf(tables, event.nodeId), ...change });
      return;
    }
    default:
      exhaustive(event);
  }
}

function nodeOf(tables: Tables, nodeId: number): NodeRow {
  return must(tables.get(nodeTable, [nodeId]), "a fact about a node follows its joining");
}
