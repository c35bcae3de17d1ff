import { expect, test } from "vitest";
import type { Cluster, ClusterNode } from "./cluster.ts";
import { headlineOf } from "./headline.ts";
import { emptyHistory, withLook } from "./history.ts";

const node: ClusterNode = {
  name: "node-1",
  liveness: "live",
  intent: "active",
  chunkCount: 1,
  usedBytes: 1,
  capacityBytes: 10,
  ip: "",
  mac: "",
  heartbeatAgeMs: 400,
};
const well: Cluster = {
  masters: [],
  nodes: [node],
  replication: 3,
  index: 100,
  chunks: { total: 900, healthy: 900, under: 0, over: 0, missing: 0, corrupt: 0 },
  files: { total: 12_480, bytes: 5 },
};

test.each([
  ["all is well", well, "ok", "All 12\u202f480 files have 3 confirmed copies."],
  [
    "under-replicated",
    { ...well, chunks: { ...well.chunks, under: 14 } },
    "warn",
    "14 of 900 chunks have fewer than 3 copies. Every file can be read.",
  ],
  [
    "missing wins over under",
    { ...well, chunks: { ...well.chunks, under: 14, missing: 2 } },
    "crit",
    "2 chunks have no readable copy. Bring back the nodes that hold them.",
  ],
  [
    "damaged",
    { ...well, chunks: { ...well.chunks, corrupt: 1 } },
    "warn",
    "1 chunk has a damaged copy. Every file can still be read.",
  ],
  [
    "unknown is never green",
    { ...well, nodes: [{ ...node, liveness: "unknown" as const }] },
    "unknown",
    "Waiting for the nodes to report. Nothing is known to be missing.",
  ],
  ["empty", { ...well, files: { total: 0, bytes: 0 } }, "ok", "No files yet. The cluster is ready."],
])("%s", (_name, cluster, tone, text) => expect(headlineOf(cluster)).toEqual({ tone, text }));

test("history makes a rate of the log index, skips dead nodes' silence and keeps five minutes", () => {
  const dead: ClusterNode = { ...node, liveness: "dead", heartbeatAgeMs: 900_000 };
  let history = withLook(emptyHistory, well, 1000);
  history = withLook(history, { ...well, index: 150, nodes: [node, dead] }, 3000);
  expect(history.samples).toEqual([{ atMs: 3000, entriesPerSecond: 25, underCount: 0, slowestHeartbeatMs: 400 }]);
  expect(withLook(history, well, 3100)).toBe(history);
  expect(withLook(history, well, 302_500).samples.map((sample) => sample.atMs)).toEqual([3000, 302_500]);
});
