import { formatBytes, exhaustive } from "@holdfast/base";
import { drillTable } from "../domain/fleet/drills.ts";
import type { FleetFact } from "../domain/fleet/fleet-events.ts";
import { joinTokenTable } from "../domain/fleet/join-tokens.ts";
import { nodeTable } from "../domain/fleet/tables.ts";
import type { TableReader } from "../domain/tables.ts";

/** A fact about the fleet as one line for people; see `summarise`. */
export function summariseFleet(event: FleetFact, tables: TableReader): string {
  switch (event.kind) {
    case "nodeJoined": {
      const how = event.joinTokenId === 0 ? "" : ` with join token ${event.joinTokenId}`;
      return `Node ${event.name} joined at ${event.address}${how}`;
    }
    case "nodeReported":
      return `Node ${nodeName(tables, event)} is at ${event.address}, with room for ${formatBytes(event.capacityBytes)}`;
    case "nodeDown":
      return `Node ${nodeName(tables, event)} is down: ${event.reason}${byDrill(event.drillId)}`;
    case "nodeUp":
      return `Node ${nodeName(tables, event)} is back`;
    case "nodeDraining":
      return `Node ${nodeName(tables, event)} gives away its ${event.copiesTotal} copies${because(event.reason)}`;
    case "nodeDrained":
      return `Node ${nodeName(tables, event)} is drained: nothing on it is needed any more`;
    case "nodeActivated":
      return `Node ${nodeName(tables, event)} is active again (${activatedWords.get(event.reason) ?? event.reason})`;
    case "maintenanceStarted":
      return `Node ${nodeName(tables, event)} is in maintenance until ${new Date(event.endsAtMs).toISOString()}${because(event.reason)}`;
    case "nodeFailed":
      return `Node ${nodeName(tables, event)} declared failed: its copies do not count${because(event.reason)}`;
    case "nodeRemoved":
      return `Node ${nodeName(tables, event)} removed for ever${event.copiesLeft === 0 ? "" : `, with ${event.copiesLeft} copies on it`}`;
    case "nodeReplaced":
      return `Node ${event.retiredName} gives its place and its ${event.copiesTotal} copies to node ${event.byNodeId}, and is removed afterwards`;
    case "nodeLabelled":
      return `Node ${nodeName(tables, event)} is in zone "${event.zone}", rack "${event.rack}"`;
    default:
      return summariseSettings(event, tables);
  }
}

type SettingEvent = Extract<
  FleetFact,
  {
    readonly kind:
      | "replicationChanged"
      | "housekeepingChanged"
      | "joinTokenIssued"
      | "joinTokenRevoked"
      | "drillStarted"
      | "drillEnded";
  }
>;

function summariseSettings(event: SettingEvent, tables: TableReader): string {
  switch (event.kind) {
    case "replicationChanged":
      return `${event.replication} ${event.replication === 1 ? "copy" : "copies"} of every chunk wanted from now on`;
    case "housekeepingChanged": {
      const state = (isPaused: boolean): string => (isPaused ? "paused" : "on");
      const massLoss = event.isMassLossAccepted ? "; repair goes on in spite of a mass loss" : "";
      return `Balancing is ${state(event.isBalancePaused)}, repair is ${state(event.isRepairPaused)}${massLoss}`;
    }
    case "joinTokenIssued": {
      const label = event.label === "" ? "" : ` for "${event.label}"`;
      const use = event.replacesNodeId === 0 ? "" : ` to replace ${nodeName(tables, { nodeId: event.replacesNodeId })}`;
      return `Join token ${event.joinTokenId}${label}${use} issued until ${new Date(event.expiresAtMs).toISOString()}`;
    }
    case "joinTokenRevoked": {
      const label = tables.get(joinTokenTable, [event.joinTokenId])?.label ?? "";
      return `Join token ${event.joinTokenId}${label === "" ? "" : ` for "${label}"`} ${event.reason}`;
    }
    case "drillStarted":
      return `${drillWords(event)} on ${nodeName(tables, event)} until ${new Date(event.endsAtMs).toISOString()}${byDrill(event.drillId)}`;
    case "drillEnded": {
      const drill = tables.get(drillTable, [event.drillId]);
      const where = drill === undefined ? "" : ` on ${nodeName(tables, drill)}`;
      return `Drill${where} ${event.reason}${byDrill(event.drillId)}`;
    }
    default:
      return exhaustive(event);
  }
}

/** What was injected says so. */
export function byDrill(drillId: number): string {
  return drillId === 0 ? "" : ` (drill ${drillId})`;
}

/** Names of nodes. */
export function nodeNames(tables: TableReader, nodeIds: readonly number[]): string {
  return nodeIds.map((nodeId) => nodeName(tables, { nodeId })).join(", ");
}

const activatedWords = new Map([
  ["cancelled", "drain cancelled"],
  ["maintenance-over", "maintenance is over"],
  ["readmitted", "the declared failure was taken back"],
]);

function drillWords({ drillKind, delayMs, chunkId }: Extract<FleetFact, { readonly kind: "drillStarted" }>): string {
  if (drillKind === "slow") return `Drill: disk slower by ${delayMs} ms`;
  if (drillKind === "corrupt") return `Drill: copy of chunk ${chunkId} damaged`;
  return drillKind === "partition" ? "Drill: cut off from the network" : "Drill: stopped";
}

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}

function nodeName(tables: TableReader, { nodeId }: { readonly nodeId: number }): string {
  return tables.get(nodeTable, [nodeId])?.name ?? `node ${nodeId}`;
}
