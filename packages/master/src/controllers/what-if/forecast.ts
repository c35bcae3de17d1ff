import { placementFillMax } from "../../domain/chunks/placement/plan.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { CopyScales, type CopyNode } from "../repair/copy-node.ts";

/** A cluster as it would be: the nodes as they would stand, and where the copies are. */
export interface Scenario {
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly replication: number;
  /** Copies that must be durable before a write counts. */
  readonly writeCopiesMin: number;
  /** Only these get what is copied; absent = whoever can take copies. */
  readonly targetNodeIds?: readonly number[];
  /** Copied bytes a second as last measured; 0 = nothing was copied lately. */
  readonly measuredBytesPerSecond: number;
  /** Bytes a second that one node fetches at most. */
  readonly bytesPerSecondMax: number;
}

/** What such a cluster could still do. */
export interface Forecast {
  /** Chunks by copies that count: element n has n. */
  readonly chunksByCopiesLeft: readonly number[];
  /** Without any copy that counts. */
  readonly lostSets: readonly CountedSet[];
  readonly chunksLost: number;
  readonly chunksAtOne: number;
  readonly bytesToCopy: number;
  /** 0 = nothing to copy, or nobody to copy to. */
  readonly repairMs: number;
  /** Nodes that keep copies, afterwards. */
  readonly fills: readonly { readonly nodeId: number; readonly usedBytes: number; readonly capacityBytes: number }[];
  readonly isRepairable: boolean;
  readonly isWritable: boolean;
}

/** What a scenario means. Cost: the number of copy sets and nodes, whatever the number of chunks. */
export function forecast(scenario: Scenario): Forecast {
  const { nodes, sets, replication, writeCopiesMin } = scenario;
  const scales = new CopyScales(nodes, replication);
  const chunksByCopiesLeft = Array.from({ length: replication + 1 }, () => 0);
  const lostSets: CountedSet[] = [];
  let bytesToCopy = 0;
  for (const set of sets) {
    if (set.heldCount === 0) continue;
    const { counted, towards } = scales.weigh(set.nodeIds);
    chunksByCopiesLeft[counted] = (chunksByCopiesLeft[counted] ?? 0) + set.heldCount;
    if (counted === 0) lostSets.push(set);
    else bytesToCopy += Math.max(0, replication - towards) * set.heldBytes;
  }
  const writable = nodes.filter((node) => node.isActive && node.liveness === "live" && node.isWritable);
  const targets = writable.filter((node) => scenario.targetNodeIds?.includes(node.nodeId) !== false);
  const room = targets.map(roomOf).reduce((sum, some) => sum + some, 0);
  const filled = filledBy(targets, bytesToCopy);
  const keeping = nodes.filter((node) => node.stays);
  return {
    chunksByCopiesLeft: Array.from(chunksByCopiesLeft, (count) => count ?? 0),
    lostSets,
    chunksLost: chunksByCopiesLeft[0] ?? 0,
    chunksAtOne: chunksByCopiesLeft[1] ?? 0,
    bytesToCopy,
    repairMs: repairTime(scenario, { bytesToCopy, targetCount: targets.length }),
    fills: keeping.map(({ nodeId, heldBytes, capacityBytes }) => {
      return { nodeId, usedBytes: heldBytes + (filled.get(nodeId) ?? 0), capacityBytes };
    }),
    isRepairable: lostSets.length === 0 && keeping.length >= replication && room >= bytesToCopy,
    isWritable: writable.filter((node) => roomOf(node) > 0).length >= Math.min(writeCopiesMin, replication),
  };
}

/** Bytes that a node takes before it counts as full. */
function roomOf(node: CopyNode): number {
  const reserve = node.capacityBytes * (1 - placementFillMax);
  return Math.max(0, node.freeBytes - reserve);
}

/** New copies spread as placement spreads them: by free bytes, no node beyond its room. */
function filledBy(targets: readonly CopyNode[], bytes: number): ReadonlyMap<number, number> {
  const filled = new Map<number, number>();
  let left = bytes;
  let open = targets.filter((node) => roomOf(node) > 0);
  while (left > 1 && open.length > 0) {
    const weight = open.reduce((sum, node) => sum + node.freeBytes, 0);
    const spread = left;
    for (const node of open) {
      const before = filled.get(node.nodeId) ?? 0;
      const more = Math.min(roomOf(node) - before, (spread * node.freeBytes) / weight);
      filled.set(node.nodeId, before + more);
      left -= more;
    }
    open = open.filter((node) => roomOf(node) - (filled.get(node.nodeId) ?? 0) > 1);
  }
  return new Map([...filled].map(([nodeId, some]) => [nodeId, Math.round(some)]));
}

function repairTime(
  { measuredBytesPerSecond, bytesPerSecondMax }: Scenario,
  { bytesToCopy, targetCount }: { readonly bytesToCopy: number; readonly targetCount: number },
): number {
  const bytesPerSecond = measuredBytesPerSecond > 0 ? measuredBytesPerSecond : targetCount * bytesPerSecondMax;
  return bytesToCopy === 0 || bytesPerSecond === 0 ? 0 : Math.ceil((bytesToCopy * 1000) / bytesPerSecond);
}
