import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@holdfast/proto/model/v1/model";
import { expect, test } from "vitest";
import { findLocalProcess } from "./find-local-process.ts";

const nodes = [
  create(NodeSchema, { nodeId: 1, name: "node-1" }),
  create(NodeSchema, { nodeId: 5, name: "node-2" }),
  create(NodeSchema, { nodeId: 6, name: "node-3" }),
];
const processes = [
  { name: "node-1", nodeId: 1 },
  { name: "node-2", nodeId: 2 },
  { name: "node-3", nodeId: 3 },
  { name: "node-4", nodeId: 5 },
  { name: "node-5", nodeId: 0 },
];

test.each([
  ["node-1", "node-1", "its own process"],
  ["node-2", "node-4", "that of the successor, not of the node that was replaced"],
  ["node-4", "node-4", "a process by its name on this machine"],
  ["node-5", "node-5", "one that has not joined yet"],
  ["node-9", "node-9", "one that is not there, as the supervisor says better"],
])("%s means %s: %s", (word, name) => {
  expect(findLocalProcess({ nodes }, processes, word)).toBe(name);
});

test("a node that runs elsewhere does not mean the process of who had its name", () => {
  expect(() => findLocalProcess({ nodes }, processes, "node-3")).toThrow("node-3 does not run on the machine");
});
