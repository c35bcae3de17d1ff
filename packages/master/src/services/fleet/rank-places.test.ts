import { expect, test } from "vitest";
import { ChunkWorld } from "../../domain/chunks/testing/chunk-world.ts";
import type { ObservedNode } from "../../domain/decision.ts";
import { createPlaceRanker } from "./rank-places.ts";

function ranked(world: ChunkWorld, changes: Readonly<Record<number, Partial<ObservedNode>>> = {}): readonly number[] {
  const nodes = new Map(
    [...world.context.nodes].map(([nodeId, node]) => [nodeId, { ...node, ...changes[nodeId] }] as const),
  );
  return createPlaceRanker(() => nodes)(world.tables, [1, 2, 3]).map((place) => place.nodeId);
}

const gray = { caution: { isGray: true, reason: "slow" } };
const heldBack = { caution: { isGray: false, reason: "went down often" } };

test("slow nodes are named behind busy ones, and before silent ones", () => {
  const world = new ChunkWorld();
  expect(ranked(world, { 1: gray, 2: { activeReadCount: 5000 }, 3: { liveness: "suspect" } })).toEqual([2, 1, 3]);
});

test("a node that is held back for new copies is read from as any other", () => {
  const world = new ChunkWorld();
  expect(ranked(world, { 1: heldBack, 2: { activeReadCount: 8 }, 3: { activeReadCount: 16 } })).toEqual([1, 2, 3]);
});

test("a node that was declared failed is named only when nobody else has a copy", () => {
  const world = new ChunkWorld();
  world.fold({ kind: "nodeFailed", nodeId: 1, reason: "smoke" });
  expect(ranked(world)).not.toContain(1);
  world.fold({ kind: "nodeFailed", nodeId: 2, reason: "" }, { kind: "nodeDown", nodeId: 3, reason: "", drillId: 0 });
  expect(ranked(world)).toHaveLength(3);
});
