import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import { copyNode, dead, leaving } from "../testing/copy-node.ts";
import { planBalance, type BalanceView } from "./plan.ts";

const limits = {
  ...{ toleranceOfCapacity: 0, toleranceOfFairShare: 0.1 },
  ...{ movesMax: 16, inPerTargetMax: 8, outPerSourceMax: 4, bytesPerSecondMax: 1 },
};
const chunkBytes = 10;

function node(nodeId: number, fields: Partial<CopyNode> = {}): CopyNode {
  return copyNode(nodeId, { capacityBytes: 100_000, freeBytes: 90_000, ...fields });
}

function set(nodeIds: readonly number[], heldCount: number): CountedSet {
  return { key: nodeIds.join(","), nodeIds, heldCount, heldBytes: heldCount * chunkBytes };
}

function view(fields: Partial<BalanceView>): BalanceView {
  return { nodes: [], sets: [], active: [], replication: 3, chunkSizeBytes: chunkBytes, limits, ...fields };
}

/** Chunks as lists of nodes, moved as planned until the plan wants nothing more; gives the number of rounds. */
function run(
  nodes: readonly CopyNode[],
  chunks: number[][],
  onMove: (before: readonly number[], after: readonly number[]) => void,
): number {
  for (let round = 1; round < 2000; round++) {
    const groups = Map.groupBy(chunks, (ids) => ids.join(","));
    const sets = [...groups].map(([, same]) => set(same[0] ?? [], same.length));
    const { moves } = planBalance(view({ nodes, sets }));
    if (moves.length === 0) return round;
    for (const { key, sourceId, targetId, count } of moves) {
      const some = chunks.filter((ids) => ids.join(",") === key).slice(0, count);
      expect(some).toHaveLength(count);
      for (const ids of some) {
        const before = [...ids];
        ids.splice(ids.indexOf(sourceId), 1, targetId);
        ids.sort((left, right) => left - right);
        onMove(before, ids);
      }
    }
  }
  throw new Error("balancing does not come to an end");
}

function levelOf(chunks: readonly (readonly number[])[], nodeId: number): number {
  return chunks.filter((ids) => ids.includes(nodeId)).length;
}

describe("planBalance", () => {
  test("a new node gets its share, within the limits of a round", () => {
    const nodes = [node(1), node(2), node(3), node(4)];
    const plan = planBalance(view({ nodes, sets: [set([1, 2, 3], 100)] }));
    expect(plan.moves.reduce((sum, move) => sum + move.count, 0)).toBe(8);
    expect(plan.moves.every((move) => move.targetId === 4 && move.count <= limits.outPerSourceMax)).toBe(true);
    expect(plan.plannedMoves).toBe(75);
    expect(plan.spreadPerMille).toBe(10);
    const chunks = Array.from({ length: 100 }, () => [1, 2, 3]);
    run(nodes, chunks, () => undefined);
    for (const nodeId of [1, 2, 3, 4]) expect(Math.abs(levelOf(chunks, nodeId) - 75)).toBeLessThanOrEqual(8);
  });

  test("shares follow the capacities", () => {
    const nodes = [node(1), node(2), node(3), node(4, { capacityBytes: 300_000 }), node(5, { capacityBytes: 300_000 })];
    const chunks = Array.from({ length: 90 }, () => [1, 2, 3]);
    run(nodes, chunks, () => undefined);
    // 270 copies over nine parts.
    for (const nodeId of [1, 2, 3]) expect(levelOf(chunks, nodeId)).toBeLessThanOrEqual(33);
    for (const nodeId of [4, 5]) expect(levelOf(chunks, nodeId)).toBeGreaterThanOrEqual(81);
  });

  test("small differences are left alone, and what is under way counts", () => {
    const nodes = [node(1), node(2), node(3), node(4)];
    const near = [set([1, 2, 3], 26), set([1, 2, 4], 25), set([1, 3, 4], 25), set([2, 3, 4], 24)];
    expect(planBalance(view({ nodes, sets: near }))).toMatchObject({ moves: [], plannedMoves: 0, isStuck: false });
    const sets = [set([1, 2, 3], 100)];
    const active = Array.from({ length: 8 }, (_, index) => {
      return { chunkId: index + 1, lengthBytes: 10, sourceId: 1 + (index % 3), targetId: 4, isThere: false };
    });
    expect(planBalance(view({ nodes, sets, active })).moves).toEqual([]);
    const there = active.map((move) => ({ ...move, isThere: true }));
    expect(planBalance(view({ nodes, sets, active: there })).plannedMoves).toBeLessThan(100);
  });

  test("only chunks with all copies on nodes that stay move, and only to nodes that can take them", () => {
    const sets = [set([1, 2, 3], 100), set([1, 2], 50)];
    for (const flaw of [
      dead,
      leaving,
      { liveness: "suspect" } as const,
      { isCautioned: true },
      { isWritable: false },
      { freeBytes: 5 },
    ]) {
      const nodes = [node(1), node(2), node(3), node(4, flaw)];
      expect(planBalance(view({ nodes, sets })).moves).toEqual([]);
    }
    const departing = [node(1), node(2), node(3, leaving), node(4)];
    expect(planBalance(view({ nodes: departing, sets })).moves).toEqual([]);
  });

  test("no zone is given up for balance; when nothing else helps the plan says so", () => {
    const nodes = [node(1, { zone: "a" }), node(2, { zone: "b" }), node(3, { zone: "c" }), node(4, { zone: "a" })];
    const { moves } = planBalance(view({ nodes, sets: [set([1, 2, 3], 100)] }));
    expect(new Set(moves.map((move) => move.sourceId))).toEqual(new Set([1]));
    const alone = [
      node(1, { zone: "a" }),
      node(2, { zone: "b" }),
      node(3, { zone: "c" }),
      node(4, { zone: "d", freeBytes: 0 }),
    ];
    expect(planBalance(view({ nodes: alone, sets: [set([1, 2, 3], 100)] }))).toMatchObject({
      ...{ moves: [], isStuck: true, plannedMoves: 0 },
    });
  });

  test("in a large cluster copies stay among partners, so that the sets of nodes stay few", () => {
    const nodes = Array.from({ length: 60 }, (_, index) => node(index + 1));
    const chunks = Array.from({ length: 600 }, (_, index) => {
      const first = 1 + (index % 20);
      return [first, first + 20, first + 40].sort((left, right) => left - right);
    });
    const fresh = [...nodes, node(61)];
    const partners = new Map<number, Set<number>>();
    run(fresh, chunks, (_before, after) => {
      const [first = 0] = after.filter((nodeId) => nodeId !== 61);
      const seen = partners.get(first) ?? new Set();
      partners.set(first, seen.add(61));
    });
    expect(partners.size).toBeLessThan(45);
  });

  test("whatever the cluster: it ends, comes nearer with every move, and keeps copies, zones and racks apart", () => {
    const someNode = fc.record({
      zone: fc.constantFrom("a", "b", "c"),
      rack: fc.constantFrom("x", "y"),
      capacityBytes: fc.integer({ min: 5_000, max: 200_000 }),
      kind: fc.constantFrom("ok", "ok", "ok", "leaving", "suspect"),
    });
    const someChunk = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 2, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(someNode, { minLength: 7, maxLength: 7 }),
        fc.array(someChunk, { maxLength: 60 }),
        (kinds, some) => {
          const nodes = kinds.map(({ zone, rack, capacityBytes, kind }, index) => {
            const state = kind === "leaving" ? leaving : kind === "suspect" ? { liveness: "suspect" as const } : {};
            return node(index + 1, { zone, rack, capacityBytes, freeBytes: capacityBytes, ...state });
          });
          const domain = (ids: readonly number[], of: (one: CopyNode) => string): number =>
            new Set(ids.map((id) => nodes[id - 1]).map((one) => (one === undefined ? "" : of(one)))).size;
          const chunks = some.map((ids) => ids.toSorted((left, right) => left - right));
          const rounds = run(nodes, chunks, (before, after) => {
            expect(after.length).toBe(before.length);
            expect(new Set(after).size).toBe(3);
            const zones = domain(after, (one) => one.zone) - domain(before, (one) => one.zone);
            expect(zones).toBeGreaterThanOrEqual(0);
            const racks = (ids: readonly number[]): number => domain(ids, (one) => `${one.zone}/${one.rack}`);
            if (zones === 0) expect(racks(after)).toBeGreaterThanOrEqual(racks(before));
            for (const id of after.filter((one) => !before.includes(one))) expect(nodes[id - 1]?.isActive).toBe(true);
          });
          expect(rounds).toBeLessThan(200);
        },
      ),
    );
  });
});
