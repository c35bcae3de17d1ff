import { expect, test } from "vitest";
import { copyNode as node, dead, leaving } from "../testing/copy-node.ts";
import { planDrains, type DrainView } from "./plan.ts";

const set = (nodeIds: readonly number[], heldCount: number): DrainView["sets"][number] => {
  return { key: nodeIds.join(","), nodeIds, heldCount, heldBytes: heldCount * 10 };
};

function view(fields: Partial<DrainView>): DrainView {
  return { nodes: [], sets: [], replication: 3, chunkSizeBytes: 10, stoppedReason: "", ...fields };
}

const drained = { nodeId: 5, copiesLeft: 0, bytesLeft: 0, blockedReasons: [] };

test("what is left is counted, and nothing is blocked while a node can take it", () => {
  const nodes = [node(1), node(2), node(3), node(5, leaving)];
  expect(planDrains(view({ nodes, sets: [set([1, 2, 3], 4)] }), [5])).toEqual([drained]);
  const sets = [set([1, 2, 5], 4), set([1, 3, 5], 2), set([5], 0)];
  expect(planDrains(view({ nodes, sets }), [5])).toEqual([{ ...drained, copiesLeft: 6, bytesLeft: 60 }]);
});

test("the reasons say how many chunks wait for what", () => {
  const zoned = [node(1, { zone: "a" }), node(2, { zone: "b", freeBytes: 50 }), node(3, { zone: "a" })];
  const nodes = [...zoned, node(5, { ...leaving, zone: "b" })];
  const one = planDrains(view({ nodes, sets: [set([1, 5], 3)], replication: 2 }), [5]);
  expect(one[0]?.blockedReasons).toEqual(["3 chunks need a second node outside zone a; node-2 is 95 % full"]);
  const none = planDrains(view({ nodes: [node(1), node(2), node(5, leaving)], sets: [set([1, 2, 5], 1)] }), [5]);
  expect(none[0]?.blockedReasons).toEqual(["1 chunk needs a third node; there is no other node"]);
  const lonely = [node(1), node(5, { ...leaving, liveness: "suspect" })];
  expect(planDrains(view({ nodes: lonely, sets: [set([5], 2)] }), [5])[0]?.blockedReasons).toEqual([
    "2 chunks can't be copied: node-5 is suspect",
  ]);
});

test("copies that were replaced wait for the others to be sure; a stop comes first", () => {
  const sets = [set([1, 2, 3, 5], 2)];
  const unsure = [node(1), node(2), node(3, { liveness: "suspect" }), node(5, leaving)];
  expect(planDrains(view({ nodes: unsure, sets }), [5])[0]?.blockedReasons).toEqual([
    "2 chunks wait for other copies to be sure: node-3 is suspect",
  ]);
  const sure = [node(1), node(2), node(3), node(4, dead), node(5, leaving)];
  expect(planDrains(view({ nodes: sure, sets }), [5])[0]?.blockedReasons).toEqual([]);
  expect(planDrains(view({ nodes: sure, sets, stoppedReason: "half is gone" }), [5])[0]?.blockedReasons).toEqual([
    "half is gone",
  ]);
});
