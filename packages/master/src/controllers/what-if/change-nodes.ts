import type { FleetOrder } from "../../domain/fleet/orders.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import type { Scenario } from "./forecast.ts";

/** Some nodes are gone from one moment to the next. */
export function withoutNodes(scenario: Scenario, nodeIds: readonly number[]): Scenario {
  const gone: Partial<CopyNode> = { counts: false, stays: false, isActive: false, liveness: "dead", isExcused: false };
  return { ...scenario, nodes: changed(scenario.nodes, nodeIds, gone) };
}

/** The cluster as an order would leave it. Orders that say nothing about copies change nothing. */
export function withOrder(scenario: Scenario, order: FleetOrder): Scenario {
  const { nodes } = scenario;
  switch (order.case) {
    case "drainNode": {
      const leaving: Partial<CopyNode> = { stays: false, isActive: false, isLeaving: true };
      return { ...scenario, nodes: changed(nodes, [order.value.nodeId], leaving) };
    }
    case "startMaintenance": {
      const away: Partial<CopyNode> = {
        counts: false,
        stays: false,
        isActive: false,
        liveness: "dead",
        isExcused: true,
      };
      return { ...scenario, nodes: changed(nodes, [order.value.nodeId], away) };
    }
    case "failNode":
    case "removeNode":
      return withoutNodes(scenario, [order.value.nodeId]);
    case "activateNode": {
      const { nodeId } = order.value;
      const isUp = nodes.some((node) => node.nodeId === nodeId && node.liveness !== "dead");
      const back: Partial<CopyNode> = { counts: isUp, stays: isUp, isActive: true, isLeaving: false, isExcused: false };
      return { ...scenario, nodes: changed(nodes, [nodeId], { ...back, isFailed: false }) };
    }
    case "issueJoinToken":
      return order.value.replacesNodeId === 0 ? scenario : withReplacement(scenario, order.value.replacesNodeId);
    case "setReplication":
      return { ...scenario, replication: order.value.replication };
    case "startDrill":
      // Stop and partition: as if the node were gone. The others take nothing away.
      return order.value.kind === 1 || order.value.kind === 2 ? withoutNodes(scenario, [order.value.nodeId]) : scenario;
    default:
      return scenario;
  }
}

/** Its id in a scenario, where the newcomer goes by the id that people know the place by; no node has it. */
const retiredNodeId = 0;

/** An empty node of the same size stands in a node's place, and gets what that one holds. */
function withReplacement(scenario: Scenario, nodeId: number): Scenario {
  const old = scenario.nodes.find((node) => node.nodeId === nodeId);
  if (old === undefined) return scenario;
  const fresh = { counts: true, stays: true, isLeaving: false, isExcused: false, isFailed: false, downAtMs: undefined };
  const ready = { isActive: true, liveness: "live", isWritable: true, isCautioned: false } as const;
  const newcomer: CopyNode = { ...old, ...fresh, ...ready, freeBytes: old.capacityBytes, heldBytes: 0 };
  const retired: Partial<CopyNode> = { stays: false, isActive: false, isLeaving: true, isExcused: false };
  const nodes = scenario.nodes.map((node) => (node === old ? newcomer : node));
  const sets = scenario.sets.map((set) => {
    return { ...set, nodeIds: set.nodeIds.map((holder) => (holder === nodeId ? retiredNodeId : holder)) };
  });
  return {
    ...scenario,
    ...{ nodes: [...nodes, { ...old, ...retired, nodeId: retiredNodeId }], sets },
    targetNodeIds: [nodeId],
  };
}

function changed(
  nodes: readonly CopyNode[],
  nodeIds: readonly number[],
  change: Partial<CopyNode>,
): readonly CopyNode[] {
  const ids = new Set(nodeIds);
  return nodes.map((node) => (ids.has(node.nodeId) ? { ...node, ...change } : node));
}
