import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { presets } from "../presets.ts";
import { copyNode as node, dead, failed, leaving } from "../testing/copy-node.ts";
import type { CopyNode } from "./copy-node.ts";
import { planRepair, type ActiveCopy, type RepairView, type ShortChunk } from "./plan.ts";

const limits = { ...presets.demo.repair, ordersPerPullMax: 1 };

function chunk(chunkId: number, confirmedNodeIds: readonly number[], fields: Partial<ShortChunk> = {}): ShortChunk {
  const placedNodeIds = fields.placedNodeIds ?? confirmedNodeIds;
  const openNodeIds = placedNodeIds.filter((nodeId) => !confirmedNodeIds.includes(nodeId));
  return { chunkId, lengthBytes: 10, confirmedNodeIds, placedNodeIds, openNodeIds, shortForMs: 5000, ...fields };
}

function view(fields: Partial<RepairView>): RepairView {
  const nodes = [node(1), node(2), node(3), node(4), node(5, dead)];
  return {
    ...{ nodes, chunks: [], active: [], isAvoided: () => false, replication: 3, chunkSizeBytes: 10, limits },
    ...{ isPaused: false, isMassLossAccepted: false },
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
      { chunkId: 7, targetId: 3, sourceIds: [2, 1], isNewPlace: false, purpose: "repair" },
    ]);
  });

  test("a place that the log names already is asked first, by a new leader too; one that failed is left alone", () => {
    const chunks = [chunk(7, [1, 2, 5], { placedNodeIds: [1, 2, 4, 5] })];
    expect(planRepair(view({ chunks })).copies).toMatchObject([{ targetId: 4, isNewPlace: false }]);
    const isAvoided = (chunkId: number, nodeId: number): boolean => chunkId === 7 && nodeId === 4;
    expect(planRepair(view({ chunks, isAvoided })).copies).toMatchObject([{ targetId: 3, isNewPlace: true }]);
  });

  test("who took a node's place gets its copies, at once; the others' stay where they are", () => {
    const gone = node(5, { ...dead, successorId: 6 });
    const live = node(5, { ...leaving, successorId: 6 });
    const chunks = [7, 8, 9].map((chunkId) => chunk(chunkId, [1, 2, 5], { shortForMs: 0 }));
    for (const old of [gone, live]) {
      const nodes = [node(1), node(2), node(3), node(4), old, node(6, { freeBytes: 200 })];
      const { copies } = planRepair(view({ nodes, chunks }));
      // The third waits for the newcomer, although others are idle.
      expect(copies.map(({ chunkId, targetId }) => [chunkId, targetId])).toEqual([
        [7, 6],
        [8, 6],
      ]);
    }
  });

  test("a newcomer that is silent for a moment is waited for, one that can't take copies is not; a last copy waits for nobody", () => {
    const gone = node(5, { ...dead, downAtMs: undefined, successorId: 6 });
    const targetsWith = (newcomer: Partial<CopyNode>, holders: readonly number[]): (number | undefined)[] => {
      const nodes = [node(1), node(2), node(3), gone, node(6, newcomer)];
      return planRepair(view({ nodes, chunks: [chunk(7, holders)] })).copies.map((copy) => copy.targetId);
    };
    expect(targetsWith({ liveness: "suspect" }, [1, 2, 5])).toEqual([]);
    expect(targetsWith(dead, [1, 2, 5])).toEqual([3]);
    expect(targetsWith({ freeBytes: 5 }, [1, 2, 5])).toEqual([3]);
    expect(targetsWith({ isActive: false }, [1, 2, 5])).toEqual([3]);
    expect(targetsWith({ liveness: "suspect" }, [1, 5])).not.toEqual([]);
    expect(targetsWith({}, [1, 5])[0]).toBe(6);
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
    const gone = (first: number, second: number): CopyNode[] => [
      ...[node(1), node(2), node(3), node(4)],
      ...[node(5, { ...dead, downAtMs: first }), node(6, { ...dead, downAtMs: second })],
    ];
    const together = planRepair(view({ nodes: gone(1000, 31_000), chunks }));
    expect(together.copies).toEqual([]);
    expect(together.stoppedReason).toContain("2 of 6 nodes vanished within 30 s");
    const apart = planRepair(view({ nodes: gone(1000, 31_001), chunks }));
    expect(apart.stoppedReason).toBe("");
    expect(apart.copies).toHaveLength(2);
    const accepted = planRepair(view({ nodes: gone(1000, 31_000), chunks, isMassLossAccepted: true }));
    expect(accepted.copies).toHaveLength(2);
    const alone = [node(1), node(2), node(3, dead)];
    expect(planRepair(view({ nodes: alone, chunks: [chunk(7, [1, 3])], replication: 2 })).copies).toHaveLength(1);
  });

  test("an ordered failure is not waited for; a paused repair rests, and says so, but a drain goes on", () => {
    const young = { shortForMs: 0 };
    const nodes = [node(1), node(2), node(3), node(4), node(5, failed)];
    expect(planRepair(view({ nodes, chunks: [chunk(7, [1, 2, 5], young)] })).copies).toMatchObject([
      { chunkId: 7, purpose: "repair", sourceIds: [1, 2, 5] },
    ]);
    const paused = planRepair(view({ nodes, chunks: [chunk(7, [1, 2, 5])], isPaused: true }));
    expect([paused.copies, paused.stoppedReason]).toEqual([[], expect.stringContaining("paused repair")]);
    const draining = [node(1), node(2), node(3, leaving), node(4)];
    const drained = planRepair(view({ nodes: draining, chunks: [chunk(8, [1, 2, 3], young)], isPaused: true }));
    expect(drained.copies).toMatchObject([{ chunkId: 8, targetId: 4, purpose: "drain", sourceIds: [1, 2, 3] }]);
  });

  test("a node in maintenance is waited for while two others count, and not longer", () => {
    const away = { ...dead, downAtMs: undefined, isExcused: true };
    const nodes = [node(1), node(2), node(3), node(4), node(5, away)];
    expect(planRepair(view({ nodes, chunks: [chunk(7, [1, 2, 5])] })).copies).toEqual([]);
    const both = [node(1), node(2, dead), node(3), node(4), node(5, away)];
    expect(planRepair(view({ nodes: both, chunks: [chunk(7, [1, 2, 5])] })).copies).toHaveLength(2);
  });

  test("more copies than before are made at once, one after another when nodes are few", () => {
    const young = { shortForMs: 0 };
    const nodes = [node(1), node(2), node(3), node(4), node(6)];
    const more = planRepair(view({ nodes, chunks: [chunk(7, [1, 2, 3], young)], replication: 5 }));
    expect(more.copies.map(({ targetId, purpose }) => `${targetId} ${purpose}`).toSorted()).toEqual([
      "4 replication",
      "6 replication",
    ]);
    const few = planRepair(view({ nodes: nodes.slice(0, 4), chunks: [chunk(7, [1, 2, 3], young)], replication: 5 }));
    expect(few.copies.map(({ targetId }) => targetId)).toEqual([4]);
  });

  test("a leaving copy waits for a node in its zone's stead; a lost one goes wherever it can", () => {
    const zoned = [node(1, { zone: "a" }), node(2, { zone: "b" }), node(3, { zone: "b" })];
    const full = node(4, { zone: "c", freeBytes: 0 });
    const holders = [chunk(7, [1, 2, 5])];
    const drain = [...zoned, full, node(5, { ...leaving, zone: "c" })];
    expect(planRepair(view({ nodes: drain, chunks: holders })).copies).toEqual([]);
    const loss = [...zoned, full, node(5, { ...dead, zone: "c" })];
    expect(planRepair(view({ nodes: loss, chunks: holders })).copies).toMatchObject([{ targetId: 3 }]);
    const nobody = [...zoned, node(5, { ...leaving, zone: "c" })];
    expect(planRepair(view({ nodes: nobody, chunks: holders })).copies).toMatchObject([{ targetId: 3 }]);
  });

  test("another rack before the same one, a slow node after all others", () => {
    const nodes = [
      ...[node(1, { rack: "x" }), node(2, { rack: "y" }), node(3, { rack: "x" }), node(4, { rack: "z" })],
      node(6, { rack: "w", isCautioned: true }),
    ];
    for (let chunkId = 1; chunkId < 20; chunkId++)
      expect(planRepair(view({ nodes, chunks: [chunk(chunkId, [1, 2])] })).copies).toMatchObject([{ targetId: 4 }]);
    const slow = [node(1), node(2, { isCautioned: true }), node(6, { isCautioned: true })];
    expect(planRepair(view({ nodes: slow, chunks: [chunk(7, [1, 2])] })).copies).toMatchObject([
      { targetId: 6, sourceIds: [1, 2] },
    ]);
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
          node(index + 1, {
            ...fields,
            ...(fields.liveness === "dead" ? { ...dead, downAtMs: index * 1_000_000 } : {}),
          }),
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
