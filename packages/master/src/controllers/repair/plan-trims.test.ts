import { expect, test } from "vitest";
import type { RepairNode } from "./plan.ts";
import { planTrims, type TrimView } from "./plan-trims.ts";

function node(nodeId: number, fields: Partial<RepairNode> = {}): RepairNode {
  const facts = { nodeId, name: `node-${nodeId}`, address: "", zone: `zone-${nodeId}`, capacityBytes: 1000 };
  const state = { isActive: true, liveness: "live", freeBytes: 500, isWritable: true, activeWriteCount: 0 } as const;
  return { ...facts, ...state, downAtMs: undefined, ...fields };
}

function view(fields: Partial<TrimView>): TrimView {
  const chunks = [{ chunkId: 7, confirmedNodeIds: [1, 2, 3, 4], overForMs: 1000 }];
  const nodes = [node(1), node(2), node(3), node(4)];
  return { ...{ nodes, chunks, replication: 3, extraGraceMs: 1000, trimsMax: 10 }, ...fields };
}

test("the fullest node gives up its copy, but a zone with two copies comes first", () => {
  const fuller = [node(1), node(2), node(3, { freeBytes: 10 }), node(4)];
  expect(planTrims(view({ nodes: fuller }))).toEqual([{ chunkId: 7, nodeId: 3 }]);
  const sharing = [node(1, { zone: "a" }), node(2), node(3, { freeBytes: 10 }), node(4, { zone: "a", freeBytes: 400 })];
  expect(planTrims(view({ nodes: sharing }))).toEqual([{ chunkId: 7, nodeId: 4 }]);
});

test("not before the grace, not with a silent node among the copies, and at most so many a round", () => {
  const young = [{ chunkId: 7, confirmedNodeIds: [1, 2, 3, 4], overForMs: 999 }];
  expect(planTrims(view({ chunks: young }))).toEqual([]);
  const silent = [node(1), node(2), node(3), node(4, { liveness: "suspect" })];
  expect(planTrims(view({ nodes: silent }))).toEqual([]);
  const many = [7, 8, 9].map((chunkId) => ({ chunkId, confirmedNodeIds: [1, 2, 3, 4], overForMs: 1000 }));
  expect(planTrims(view({ chunks: many, trimsMax: 2 })).map((trim) => trim.chunkId)).toEqual([7, 8]);
});
