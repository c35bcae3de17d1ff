import type { Cluster } from "./cluster.ts";

/** What is drawn of one moment. */
export interface Sample {
  readonly atMs: number;
  /** Log entries committed a second since the sample before. */
  readonly entriesPerSecond: number;
  readonly underCount: number;
  /** The node that was silent the longest, dead ones left out. */
  readonly slowestHeartbeatMs: number;
}

/** The last minutes, oldest first. */
export interface History {
  readonly samples: readonly Sample[];
  readonly lastIndex: number;
  readonly lastAtMs: number;
}

/** Nothing seen yet. */
export const emptyHistory: History = { samples: [], lastIndex: 0, lastAtMs: 0 };

const spanMs = 300_000;
const samplesMax = 300;

/** With one more look at the cluster; the first one only sets the mark for rates, looks closer than half a second apart are folded into one. */
export function withLook(history: History, cluster: Cluster, atMs: number): History {
  const elapsedMs = atMs - history.lastAtMs;
  if (elapsedMs < 500) return history;
  if (history.lastAtMs === 0) return { ...history, lastIndex: cluster.index, lastAtMs: atMs };
  const heartbeats = cluster.nodes.filter((node) => node.liveness !== "dead").map((node) => node.heartbeatAgeMs);
  const sample: Sample = {
    atMs,
    entriesPerSecond: Math.max(0, ((cluster.index - history.lastIndex) * 1000) / elapsedMs),
    underCount: cluster.chunks.under + cluster.chunks.missing,
    slowestHeartbeatMs: Math.max(0, ...heartbeats),
  };
  const samples = [...history.samples, sample].filter((one) => one.atMs > atMs - spanMs).slice(-samplesMax);
  return { samples, lastIndex: cluster.index, lastAtMs: atMs };
}
