import { expect, test } from "vitest";
import { idleProcesses, runningProcessOf } from "./local-nodes.ts";

const nodes = [
  { nodeId: 1, name: "node-1" },
  { nodeId: 2, name: "node-2" },
  { nodeId: 5, name: "node-3" },
];

test("a node's process is found by who it is, not by its name: a successor has the name of whom it followed", () => {
  const processes = [
    { name: "node-1", state: "stopped", nodeId: 1 },
    { name: "node-3", state: "running", nodeId: 3 },
    { name: "node-5", state: "restarting", nodeId: 5 },
  ];
  expect([1, 3, 5, 7].map((nodeId) => runningProcessOf(processes, nodeId))).toEqual([
    undefined,
    "node-3",
    "node-5",
    undefined,
  ]);
  expect(runningProcessOf(undefined, 5)).toBeUndefined();
});

test.each([
  ["stopped, in the cluster", { name: "node-2", state: "stopped", nodeId: 2 }, "node-2 stopped"],
  ["stopped, under another one's name", { name: "node-5", state: "stopped", nodeId: 5 }, "node-3 stopped"],
  ["stopped before it joined", { name: "node-6", state: "stopped", nodeId: 0 }, "node-6 stopped"],
  ["stopped and removed", { name: "node-3", state: "stopped", nodeId: 3 }, undefined],
  ["running and removed", { name: "node-3", state: "running", nodeId: 3 }, "node-3 removed"],
  ["running and just joined", { name: "node-7", state: "running", nodeId: 7 }, undefined],
  ["running and about to join", { name: "node-7", state: "running", nodeId: 0 }, undefined],
  ["running", { name: "node-1", state: "running", nodeId: 1 }, undefined],
])("one that is %s", (_what, process, said) => {
  const [idle] = idleProcesses([process], nodes);
  expect(idle === undefined ? undefined : `${idle.nodeName} ${idle.kind}`).toBe(said);
});
