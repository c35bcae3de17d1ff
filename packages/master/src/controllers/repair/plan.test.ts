import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { presets } from "../presets.ts";
import { planRepair, type ActiveCopy, type RepairNode, type RepairView, type ShortChunk } from "./plan.ts";

const limits = { ...presets.demo.repair, ordersPerPullMax: 1 };

function node(nodeId: number, fields: Partial<RepairNode> = {}): RepairNode {
  return {
    nodeId,
    name: `node-${nodeId}`,
    address: `node-${nodeId}:7000`,
    zone: "",
    isActive: true,
    liveness: "live",
    capacityBytes: 1000,
    freeBytes: 900,
    isWritable: true,
    activeWriteCount: 0,
    downAtMs: undefined,
    ...fields,
  };
}

const dead = { liveness: "dead", downAtMs: 0 } as const;

function chunk(chunkId: number, confirmedNodeIds: readonly number[], fields: Partial<ShortChunk> = {}): ShortChunk {
  const placedNodeIds = fields.placedNodeIds ?? confirmedNodeIds;
  const openNodeIds = placedNodeIds.filter((nodeId) => !confirmedNodeIds.includes(nodeId));
  return { chunkId, lengthBytes: 10, confirmedNodeIds, placedNodeIds, openNodeIds, shortForMs: 5000, ...fields };
}

function view(fields: Partial<RepairView>): RepairView {
  const nodes = [node(1), node(2), node(3), node(4), node(5, dead)];
  return {
    ...{ nodes, chunks: [], active: [], isAvoided: () => false, replication: 3, chunkSizeBytes: 10, limits },
    ...fields,
  };
}

function active(chunkId: number, targetId: number, fields: Partial<ActiveCopy> = {}): ActiveCopy {
  return { chunkId, targetId, sourceId: 1, sentAgoMs: 0, ...fields };
}

describe("planRepair", () => {
  test("a copy that died is made anew where none is, from those that are left", () => {
    const { copies } = planRepair(view({ chunks: [chunk(7, [1, 2, 5])] }));
    expect(copies).toHaveLength(1);
    expect(copies[0]).toMatchObject({ chunkId: 7, isNewPlace: true, sourceIds: [1, 2] });
    expect([3, 4]).toContain(copies[0]?.targetId);
  });

  test("a short absence causes no copying, unless one copy is all that is left", () => {
    const young = { shortForMs: 4999 };
    expect(planRepair(view({ chunks: [chunk(7, [1, 2, 5], young)] })).copies).toEqual([]);
    expect(planRepair(view({ chunks: [chunk(7, [1, 5], young)] })).copies.map((copy) => copy.chunkId)).toEqual([7, 7]);
  });

  test("most urgent first: what the limits leave over waits", () => {
    const chunks = Array.from({ length: 20 }, (_, index) => chunk(index + 1, [1, 2, 5]));
    const { copies } = planRepair(view({ chunks }));
    expect(copies.map((copy) => copy.chunkId)).toEqual([1, 2, 3, 4]);
    expect(copies.filter((copy) => copy.targetId === 3)).toHaveLength(limits.inPerTargetMax);
    expect(copies.filter((copy) => copy.targetId === 4)).toHaveLength(limits.inPerTargetMax);
  });

  test("a source gives no more than its limit, and the least burdened comes first", () => {
    const nodes = [node(1), ...Array.from({ length: 8 }, (_, index) => node(index + 2)), node(20, dead)];
    const chunks = Array.from({ length: 20 }, (_, index) => chunk(index + 1, [1, 20]));
    const only = planRepair(view({ nodes, chunks })).copies;
    expect(only).toHaveLength(limits.outPerSourceMax);
    const two = planRepair(view({ nodes, chunks: chunks.map(({ chunkId }) => chunk(chunkId, [1, 2, 20])) })).copies;
    expect(two.filter((copy) => copy.sourceIds[0] === 1)).toHaveLength(limits.outPerSourceMax);
    expect(two.filter((copy) => copy.sourceIds[0] === 2)).toHaveLength(limits.outPerSourceMax);
  });

  test("orders that are out count, are not doubled, and are repeated when nobody answers", () => {
    const chunks = [chunk(7, [1, 2, 5], { placedNodeIds: [1, 2, 3, 5] }), chunk(8, [1, 2, 5])];
    const out = [active(7, 3), active(9, 3), active(10, 4), active(11, 4)];
    expect(planRepair(view({ chunks, active: out })).copies).toEqual([]);
    const unanswered = [active(7, 3, { sentAgoMs: 3000 })];
    expect(planRepair(view({ chunks: chunks.slice(0, 1), active: unanswered })).copies).toEqual([
      { chunkId: 7, targetId: 3, sourceIds: [2, 1], isNewPlace: false },
    ]);
  });

  test("a place that the log names already is asked first, by a new leader too; one that failed is left alone", () => {
    const chunks = [chunk(7, [1, 2, 5], { placedNodeIds: [1, 2, 4, 5] })];
    expect(planRepair(view({ chunks })).copies).toMatchObject([{ targetId: 4, isNewPlace: false }]);
    const isAvoided = (chunkId: number, nodeId: number): boolean => chunkId === 7 && nodeId === 4;
    expect(planRepair(view({ chunks, isAvoided })).copies).toMatchObject([{ targetId: 3, isNewPlace: true }]);
  });

  test("another zone first; a full, draining, silent or unwritable node never; sources have to be live", () => {
    const nodes = [node(1, { zone: "a" }), node(2, { zone: "b" }), node(3, { zone: "a" }), node(4, { zone: "c" })];
    const chunks = [chunk(7, [1, 2])];
    expect(planRepair(view({ nodes, chunks })).copies).toMatchObject([{ targetId: 4 }]);
    for (const flaw of [
      { freeBytes: 50 },
      { isActive: false },
      { liveness: "suspect" as const },
      { isWritable: false },
    ]) {
      const others = [node(1), node(2), node(3, flaw)];
      expect(planRepair(view({ nodes: others, chunks })).copies).toEqual([]);
    }
    const silent = [node(1, { liveness: "suspect" }), node(2, { liveness: "unknown" }), node(3)];
    expect(planRepair(view({ nodes: silent, chunks })).copies).toEqual([]);
  });

  test("30 % of the nodes gone together stop everything and say so; one after another, or one alone, does not", () => {
    const chunks = [chunk(7, [1, 5, 6])];
    const gone = (first: number, second: number): RepairNode[] => [
      ...[node(1), node(2), node(3), node(4)],
      ...[node(5, { liveness: "dead", downAtMs: first }), node(6, { liveness: "dead", downAtMs: second })],
    ];
    const together = planRepair(view({ nodes: gone(1000, 31_000), chunks }));
    expect(together.copies).toEqual([]);
    expect(together.stoppedReason).toContain("2 of 6 nodes vanished within 30 s");
    const apart = planRepair(view({ nodes: gone(1000, 31_001), chunks }));
    expect(apart.stoppedReason).toBe("");
    expect(apart.copies).toHaveLength(2);
    const alone = [node(1), node(2), node(3, { liveness: "dead", downAtMs: 1 })];
    expect(planRepair(view({ nodes: alone, chunks: [chunk(7, [1, 3])], replication: 2 })).copies).toHaveLength(1);
  });

  test("whatever the situation: never two copies on a node, never more than wanted, never over a limit", () => {
    const someNode = fc.record({
      liveness: fc.constantFrom("live" as const, "suspect" as const, "dead" as const),
      zone: fc.constantFrom("a", "b"),
      isActive: fc.boolean(),
    });
    const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 4 });
    const someChunk = fc.record({ confirmed: someIds, more: someIds, out: someIds });
    fc.assert(
      fc.property(fc.array(someNode, { minLength: 8, maxLength: 8 }), fc.array(someChunk), (kinds, situations) => {
        const nodes = kinds.map((fields, index) =>
          // Deaths far apart, so that nothing stops.
          node(index + 1, { ...fields, downAtMs: fields.liveness === "dead" ? index * 1_000_000 : undefined }),
        );
        const chunks = situations.map(({ confirmed, more }, index) =>
          chunk(index + 1, confirmed, { placedNodeIds: [...new Set([...confirmed, ...more])] }),
        );
        const out = situations.flatMap(({ confirmed, out: targets }, index) =>
          targets.filter((nodeId) => !confirmed.includes(nodeId)).map((targetId) => active(index + 1, targetId)),
        );
        const { copies } = planRepair(view({ nodes, chunks, active: out }));
        for (const { chunkId, confirmedNodeIds } of chunks) {
          const targets = copies.filter((copy) => copy.chunkId === chunkId).map((copy) => copy.targetId);
          const ordered = out.filter((copy) => copy.chunkId === chunkId).map((copy) => copy.targetId);
          const holders = [...confirmedNodeIds, ...ordered, ...targets];
          expect(new Set(holders).size).toBe(holders.length);
          const alive = confirmedNodeIds.filter((nodeId) => nodes[nodeId - 1]?.liveness !== "dead");
          if (targets.length > 0) expect(alive.length + ordered.length + targets.length).toBeLessThanOrEqual(3);
        }
        for (const { nodeId } of nodes) {
          const taken = copies.filter((copy) => copy.targetId === nodeId).length;
          const before = out.filter((copy) => copy.targetId === nodeId).length;
          if (taken > 0) expect(before + taken).toBeLessThanOrEqual(limits.inPerTargetMax);
        }
      }),
    );
  });
});
