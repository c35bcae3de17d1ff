import { expect, test } from "vitest";
import type { Cluster, ClusterNode } from "./cluster.ts";
import { headlineOf } from "./headline.ts";

const node: ClusterNode = {
  nodeId: 1,
  name: "node-1",
  liveness: "live",
  intent: "active",
  chunkCount: 1,
  usedBytes: 1,
  capacityBytes: 10,
  ip: "",
  mac: "",
  heartbeatAgeMs: 400,
  zone: "default",
  rack: "",
  caution: "",
  diskState: "ok",
  writeP95Ms: 4,
  readP95Ms: 1,
  writeBytesPerSecond: 0,
  readBytesPerSecond: 0,
  hasDrill: false,
};
const well: Cluster = {
  masters: [],
  nodes: [node],
  replication: 3,
  index: 100,
  repair: { waitingCount: 0, activeCount: 0, bytesPerSecond: 0, remainingMs: 0, stoppedReason: "" },
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
