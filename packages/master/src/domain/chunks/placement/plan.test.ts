import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlacementNode } from "../../fleet/placement-nodes.ts";
import { placementObstacle, planPlacement, type PlacementRequest } from "./plan.ts";

const gibibyte = 1024 ** 3;
const chunkSizeBytes = 4 * 1024 ** 2;

function node(nodeId: number, fields: Partial<PlacementNode> = {}): PlacementNode {
  return {
    nodeId: nodeId,
    name: `node-${nodeId}`,
    address: `127.0.0.1:${7000 + nodeId}`,
    zone: "",
    rack: "",
    isActive: true,
    liveness: "live",
    capacityBytes: 100 * gibibyte,
    freeBytes: 50 * gibibyte,
    isWritable: true,
    activeWriteCount: 0,
    isCautioned: false,
    ...fields,
  };
}

function request(nodes: readonly PlacementNode[], fields: Partial<PlacementRequest> = {}): PlacementRequest {
  const chunkIds = [1];
  return { nodes, chunkIds, copies: 3, copiesMin: 2, chunkSizeBytes, avoidNodeIds: [], ...fields };
}

const chunkIds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const anyNodes = fc
  .uniqueArray(
    fc.record({
      nodeId: fc.integer({ min: 1, max: 40 }),
      zone: fc.constantFrom("a", "b", "c"),
      isActive: fc.boolean(),
      liveness: fc.constantFrom("live", "live", "live", "suspect", "dead", "unknown") as fc.Arbitrary<
        PlacementNode["liveness"]
      >,
      freeBytes: fc.integer({ min: 0, max: 100 * gibibyte }),
      isWritable: fc.boolean(),
      activeWriteCount: fc.nat(50),
    }),
    { selector: (fields) => fields.nodeId, maxLength: 20 },
  )
  .map((rows) => rows.map(({ nodeId, ...fields }) => node(nodeId, fields)));

describe("planPlacement", () => {
  test("any cluster: distinct usable nodes, zones spread as far as they go, or a refusal that is true", () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 1, max: 5 }), (nodes, copies) => {
        const usable = nodes.filter((one) => placementObstacle(one, chunkSizeBytes) === undefined);
        const copiesMin = Math.min(2, copies);
        const planned = planPlacement(request(nodes, { chunkIds: chunkIds(5), copies, copiesMin }));
        if (!planned.ok) {
          expect(usable.length).toBeLessThan(copiesMin);
          return;
        }
        const zoneById = new Map(usable.map((one) => [one.nodeId, one.zone]));
        const zoneCount = new Set(zoneById.values()).size;
        for (const places of planned.value) {
          expect(new Set(places).size).toBe(places.length);
          expect(places.length).toBe(Math.min(copies, usable.length));
          expect(places.every((nodeId) => zoneById.has(nodeId))).toBe(true);
          const zones = new Set(places.map((nodeId) => zoneById.get(nodeId)));
          expect(zones.size).toBe(Math.min(zoneCount, places.length));
        }
      }),
    );
  });

  test("the same request gives the same places, in whatever order the nodes are listed", () => {
    const nodes = [1, 2, 3, 4, 5].map((id) => node(id));
    const shuffled = [4, 2, 5, 1, 3].map((id) => node(id));
    expect(planPlacement(request(shuffled, { chunkIds: chunkIds(50) }))).toEqual(
      planPlacement(request(nodes, { chunkIds: chunkIds(50) })),
    );
  });

  test("a node with three times the free bytes gets about three times the copies", () => {
    const nodes = [1, 2, 3, 4, 5, 6].map((id) => node(id, { freeBytes: (id <= 3 ? 60 : 20) * gibibyte }));
    const planned = planPlacement(request(nodes, { chunkIds: chunkIds(6000), copies: 1, copiesMin: 1 }));
    const counts = countByNode(planned.ok ? planned.value : []);
    const large = (counts.get(1) ?? 0) + (counts.get(2) ?? 0) + (counts.get(3) ?? 0);
    expect(large / (6000 - large)).toBeGreaterThan(2.6);
    expect(large / (6000 - large)).toBeLessThan(3.4);
  });

  test("the first place takes turns, so that no node forwards for all", () => {
    const planned = planPlacement(
      request(
        [1, 2, 3, 4].map((id) => node(id)),
        { chunkIds: chunkIds(400) },
      ),
    );
    const firsts = new Set(planned.ok ? planned.value.map((places) => places[0]) : []);
    expect(firsts.size).toBe(4);
  });

  test("with many nodes a node shares chunks with a bounded number of others", () => {
    const nodes = Array.from({ length: 60 }, (_, index) => node(index + 1));
    const planned = planPlacement(request(nodes, { chunkIds: chunkIds(20_000) }));
    const sets = new Set((planned.ok ? planned.value : []).map((places) => places.toSorted((a, b) => a - b).join()));
    expect(sets.size).toBeLessThanOrEqual(60 * 45);
  });

  test("nodes to avoid are used only when too few others are left", () => {
    const nodes = [1, 2, 3, 4].map((id) => node(id));
    const planned = planPlacement(request(nodes, { chunkIds: chunkIds(100), avoidNodeIds: [2] }));
    expect(planned.ok && planned.value.flat().includes(2)).toBe(false);
    const cornered = planPlacement(request(nodes, { avoidNodeIds: [1, 2, 3] }));
    expect(cornered.ok && cornered.value[0]?.length).toBe(3);
  });

  test("says which nodes stand in the way, and whether it is space or life that lacks", () => {
    const full = planPlacement(
      request([node(1), node(2, { freeBytes: 5 * gibibyte }), node(3, { freeBytes: 9 * gibibyte })]),
    );
    expect(full).toEqual({
      ok: false,
      error: {
        kind: "noSpace",
        message:
          "1 of the 2 nodes needed can take a copy: node-2 is 95 % full, node-3 is 91 % full. Free space or add a node.",
      },
    });
    const dead = planPlacement(request([node(1), node(2, { liveness: "dead" }), node(3, { isWritable: false })]));
    expect(dead).toMatchObject({ ok: false, error: { kind: "unavailable" } });
    expect(!dead.ok && dead.error.message).toContain("node-2 is dead, node-3 says that its disk takes no writes");
    expect(planPlacement(request([]))).toMatchObject({ ok: false, error: { kind: "unavailable" } });
  });
});

function countByNode(sets: readonly (readonly number[])[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const nodeId of sets.flat()) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  return counts;
}
