import fc from "fast-check";
import { expect, test } from "vitest";
import { copyNode as node, dead, leaving } from "../testing/copy-node.ts";
import { planTrims, type OverChunk, type TrimView } from "./plan.ts";

function chunk(chunkId: number, confirmedNodeIds: readonly number[], fields: Partial<OverChunk> = {}): OverChunk {
  return { chunkId, confirmedNodeIds, overForMs: 1000, moveTargetId: undefined, ...fields };
}

function view(fields: Partial<TrimView>): TrimView {
  const chunks = [chunk(7, [1, 2, 3, 4])];
  const nodes = [1, 2, 3, 4].map((nodeId) => node(nodeId, { zone: `zone-${nodeId}` }));
  const rest = { replication: 3, isReplicationLowered: false, extraGraceMs: 1000, trimsMax: 10 };
  return { nodes, chunks, ...rest, ...fields };
}

test("the fullest node gives up its copy, but a zone, then a rack with two copies comes first", () => {
  const fuller = [
    node(1, { zone: "a" }),
    node(2, { zone: "b" }),
    node(3, { zone: "c", heldBytes: 900 }),
    node(4, { zone: "d" }),
  ];
  expect(planTrims(view({ nodes: fuller }))).toEqual([{ chunkId: 7, nodeId: 3, reason: "extra" }]);
  const sharing = [
    node(1, { zone: "a" }),
    node(2, { zone: "b" }),
    node(3, { zone: "c", heldBytes: 900 }),
    node(4, { zone: "a", heldBytes: 200 }),
  ];
  expect(planTrims(view({ nodes: sharing }))).toMatchObject([{ nodeId: 4 }]);
  const racks = [
    node(1, { rack: "x" }),
    node(2, { rack: "y" }),
    node(3, { rack: "z", heldBytes: 900 }),
    node(4, { rack: "x", heldBytes: 200 }),
  ];
  expect(planTrims(view({ nodes: racks }))).toMatchObject([{ nodeId: 4 }]);
});

test("not before the grace, not with a silent node among the copies, and at most so many a round", () => {
  expect(planTrims(view({ chunks: [chunk(7, [1, 2, 3, 4], { overForMs: 999 })] }))).toEqual([]);
  const silent = [node(1), node(2), node(3), node(4, { liveness: "suspect" })];
  expect(planTrims(view({ nodes: silent }))).toEqual([]);
  const many = [7, 8, 9].map((chunkId) => chunk(chunkId, [1, 2, 3, 4]));
  expect(planTrims(view({ chunks: many, trimsMax: 2 })).map((trim) => trim.chunkId)).toEqual([7, 8]);
  expect(planTrims(view({ isReplicationLowered: true }))).toMatchObject([{ reason: "replication" }]);
});

test("a copy that was replaced leaves its node at once, also a dead one; never while others are unsure", () => {
  const chunks = [chunk(7, [1, 2, 3, 4], { overForMs: 0 })];
  const drained = [{ chunkId: 7, nodeId: 4, reason: "drained" }];
  expect(planTrims(view({ chunks, nodes: [node(1), node(2), node(3), node(4, leaving)] }))).toEqual(drained);
  expect(planTrims(view({ chunks, nodes: [node(1), node(2), node(3), node(4, { ...leaving, ...dead })] }))).toEqual(
    drained,
  );
  expect(planTrims(view({ chunks, nodes: [node(1), node(2), node(3, dead), node(4, leaving)] }))).toEqual([]);
  const inMaintenance = node(3, { isActive: false });
  expect(planTrims(view({ chunks, nodes: [node(1), node(2), inMaintenance, node(4, leaving)] }))).toEqual([]);
});

test("a move ends with the fullest other copy, never with the one that was just made", () => {
  const nodes = [node(1, { heldBytes: 500 }), node(2), node(3), node(4, { heldBytes: 900 })];
  const moved = [chunk(7, [1, 2, 3, 4], { overForMs: 0, moveTargetId: 4 })];
  expect(planTrims(view({ chunks: moved, nodes }))).toEqual([{ chunkId: 7, nodeId: 1, reason: "balanced" }]);
  expect(planTrims(view({ chunks: [chunk(7, [1, 2, 3], { moveTargetId: 4 })], nodes }))).toEqual([]);
});

test("whatever the situation: as many live, active, other copies as wanted remain, and one a chunk goes", () => {
  const someNode = fc.record({
    liveness: fc.constantFrom("live" as const, "live" as const, "suspect" as const, "dead" as const),
    kind: fc.constantFrom("active", "active", "leaving", "maintenance"),
    zone: fc.constantFrom("a", "b"),
  });
  const someChunk = fc.record({
    confirmedNodeIds: fc.uniqueArray(fc.integer({ min: 1, max: 7 })),
    moveTargetId: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
    overForMs: fc.constantFrom(0, 1000),
  });
  fc.assert(
    fc.property(fc.array(someNode, { minLength: 7, maxLength: 7 }), fc.array(someChunk), (kinds, some) => {
      const nodes = kinds.map(({ liveness, kind, zone }, index) =>
        node(index + 1, {
          liveness,
          zone,
          ...(kind === "leaving" ? leaving : {}),
          ...(kind === "maintenance" ? { isActive: false } : {}),
        }),
      );
      const chunks = some.map((fields, index) => chunk(index + 1, fields.confirmedNodeIds, fields));
      const trims = planTrims(view({ nodes, chunks }));
      expect(new Set(trims.map((trim) => trim.chunkId)).size).toBe(trims.length);
      for (const { chunkId, nodeId } of trims) {
        const copies = chunks[chunkId - 1]?.confirmedNodeIds ?? [];
        expect(copies).toContain(nodeId);
        const rest = copies.map((id) => nodes[id - 1]).filter((one) => one !== undefined && one.nodeId !== nodeId);
        expect(rest.filter((one) => one?.isActive === true && one.liveness === "live").length).toBeGreaterThanOrEqual(
          3,
        );
      }
    }),
  );
});
