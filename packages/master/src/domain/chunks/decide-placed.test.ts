import { expect, test } from "vitest";
import { decidePlaceReplicas } from "./decide-placed.ts";
import { chunkTable } from "./tables.ts";
import { ChunkWorld } from "./testing/chunk-world.ts";

function placed(world: ChunkWorld, chunkId: number): readonly number[] {
  return world.tables.get(chunkTable, [chunkId])?.placedNodeIds ?? [];
}

function spareNode(world: ChunkWorld, chunkId: number): number {
  return [1, 2, 3, 4, 5].find((nodeId) => !placed(world, chunkId).includes(nodeId)) ?? 0;
}

test("a new place is a fact of its own and counts only when the node confirms; a repeat gives nothing", () => {
  const world = new ChunkWorld();
  const chunkId = world.store();
  const nodeId = spareNode(world, chunkId);
  const events = decidePlaceReplicas(
    world.tables,
    [
      { chunkId, nodeId },
      { chunkId, nodeId },
    ],
    "repair",
  );
  expect(events).toEqual([{ kind: "replicaPlaced", chunkIds: [chunkId], nodeId, reason: "repair" }]);
  world.fold(...events);
  expect(placed(world, chunkId)).toContain(nodeId);
  expect(world.confirmed(chunkId)).not.toContain(nodeId);
  expect(decidePlaceReplicas(world.tables, [{ chunkId, nodeId }], "repair")).toEqual([]);
  world.report(nodeId, { added: [world.copy(chunkId)] });
  expect(world.confirmed(chunkId)).toContain(nodeId);
  expect(world.incremental()).toEqual(world.recomputed());
});

test("nothing is placed on a node that is down or unknown, nor for a chunk that nobody needs", () => {
  const world = new ChunkWorld();
  const chunkId = world.store();
  const nodeId = spareNode(world, chunkId);
  expect(
    decidePlaceReplicas(
      world.tables,
      [
        { chunkId, nodeId: 99 },
        { chunkId: 99, nodeId },
      ],
      "repair",
    ),
  ).toEqual([]);
  world.fold({ kind: "nodeDown", nodeId, reason: "test", drillId: 0 });
  expect(decidePlaceReplicas(world.tables, [{ chunkId, nodeId }], "repair")).toEqual([]);
  world.fold({ kind: "nodeUp", nodeId });
  world.release([chunkId], "purged");
  expect(decidePlaceReplicas(world.tables, [{ chunkId, nodeId }], "repair")).toEqual([]);
  world.fold({ kind: "replicaPlaced", chunkIds: [chunkId], nodeId, reason: "repair" });
  expect(placed(world, chunkId)).not.toContain(nodeId);
});

test("a copy that is being ordered away from a node is not placed there", () => {
  const world = new ChunkWorld();
  const chunkId = world.store();
  const nodeId = spareNode(world, chunkId);
  world.fold({ kind: "trimOrdered", chunkId, generation: 1, nodeId, term: 1, reason: "extra", confirmedNodeIds: [] });
  expect(decidePlaceReplicas(world.tables, [{ chunkId, nodeId }], "repair")).toEqual([]);
  world.fold({ kind: "replicaTrimmed", chunkId, nodeId });
  expect(decidePlaceReplicas(world.tables, [{ chunkId, nodeId }], "repair")).toHaveLength(1);
});
