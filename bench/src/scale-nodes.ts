import { ScaleCopies } from "@holdfast/master/testing/scale";
import { createMetrics, silentLogger } from "@holdfast/observability";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import type { NodesOrder, NodesPlace } from "./scale-fleet.ts";
import { ScaleNode, type NodeCounts, type ScaleNodeShared } from "./scale-node.ts";

// All simulated nodes, in one process beside the master's.
const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
const network = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
const nothing: NodeCounts = { brokenStreams: 0, refused: 0, fetched: 0, trimmed: 0, listedBuckets: 0 };
const counts: NodeCounts = { ...nothing };
const nodes = new Map<number, ScaleNode>();
let shared: ScaleNodeShared | undefined;

// Without its parent it has nobody to report to.
process.once("disconnect", () => process.exit());
process.on("message", (order: NodesOrder) => {
  obey(order).then(
    () => {
      process.send?.({ ...counts });
      Object.assign(counts, nothing);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function obey(order: NodesOrder): Promise<void> {
  switch (order.kind) {
    case "place":
      settle(order.place);
      return;
    case "join":
      for (let nodeId = order.firstId; nodeId <= order.lastId; nodeId++) await nodeOf(nodeId).join(network);
      return;
    case "run":
      for (const nodeId of order.nodeIds) nodeOf(nodeId).run(network);
      return;
    case "stop":
      for (const nodeId of order.nodeIds) nodeOf(nodeId).stop();
      return;
    case "damage":
      for (const nodeId of order.nodeIds) nodeOf(nodeId).damage(order.copiesMax);
      return;
    case "lose":
      for (const nodeId of order.nodeIds) nodeOf(nodeId).lose(order.copiesMax);
      return;
    case "count":
      return;
  }
}

/** The nodes are somewhere else from now on, or hold other copies: those of before are forgotten. */
function settle(place: NodesPlace): void {
  for (const node of nodes.values()) node.stop();
  nodes.clear();
  const copies = new ScaleCopies(place.size);
  const nodeIdsOf = (chunkId: number): readonly number[] => copies.nodeIdsOf(chunkId);
  shared = { ...place, counts, nodeIdsOf, chunkIdsIn: (nodeId, bucket) => copies.chunkIdsIn(nodeId, bucket) };
}

function nodeOf(nodeId: number): ScaleNode {
  if (shared === undefined) throw new Error("the nodes are told first where they are");
  const node = nodes.get(nodeId) ?? new ScaleNode(nodeId, shared);
  nodes.set(nodeId, node);
  return node;
}
