import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import type { CopyNode } from "../repair/copy-node.ts";

/** Nodes whose loss together would hurt, and how much. */
export interface WeakSpot {
  readonly nodeIds: readonly number[];
  /** The zone that they make up; undefined when they are just nodes. */
  readonly zone: string | undefined;
  /** Chunks that would have no copy that counts. */
  readonly chunksLost: number;
  /** Chunks that would have one. */
  readonly chunksAtOne: number;
}

/** The worst of each kind; undefined when there is none (one zone only, fewer than two nodes). */
export interface WeakSpots {
  readonly node: WeakSpot | undefined;
  readonly pair: WeakSpot | undefined;
  readonly zone: WeakSpot | undefined;
}

/** Copy sets as the copies that count now, with their chunks. */
interface LiveSet {
  readonly nodeIds: readonly number[];
  readonly heldCount: number;
}

/**
 * Where the cluster would lose most: by chunks lost, then by chunks left with one copy. All pairs are compared; the counts
 * come from one pass over the copy sets.
 */
export function findWeakest(nodes: readonly CopyNode[], sets: readonly CountedSet[]): WeakSpots {
  const counting = nodes.filter((node) => node.counts);
  const ids = new Set(counting.map((node) => node.nodeId));
  const live = sets
    .filter((set) => set.heldCount > 0)
    .map(({ nodeIds, heldCount }) => ({ nodeIds: nodeIds.filter((nodeId) => ids.has(nodeId)), heldCount }))
    .filter((set) => set.nodeIds.length > 0);
  const zones = Map.groupBy(counting, (node) => node.zone);
  const named = zones.size > 1 ? [...zones] : [];
  const spots = named.map(([zone, members]) => {
    return spotOf(live, { nodeIds: members.map((node) => node.nodeId), zone });
  });
  return { node: weakestNode(counting, live), pair: weakestPair(counting, live), zone: worst(spots) };
}

function weakestNode(nodes: readonly CopyNode[], live: readonly LiveSet[]): WeakSpot | undefined {
  const alone = new Map<number, number>();
  const inPairs = new Map<number, number>();
  let singles = 0;
  for (const { nodeIds, heldCount } of live) {
    if (nodeIds.length === 1) singles += heldCount;
    const counts = nodeIds.length === 1 ? alone : nodeIds.length === 2 ? inPairs : undefined;
    if (counts !== undefined) for (const nodeId of nodeIds) counts.set(nodeId, (counts.get(nodeId) ?? 0) + heldCount);
  }
  const spots = nodes.map(({ nodeId }) => {
    const chunksLost = alone.get(nodeId) ?? 0;
    const chunksAtOne = singles - chunksLost + (inPairs.get(nodeId) ?? 0);
    return { nodeIds: [nodeId], zone: undefined, chunksLost, chunksAtOne };
  });
  return worst(spots);
}

function spotOf(live: readonly LiveSet[], lost: Pick<WeakSpot, "nodeIds" | "zone">): WeakSpot {
  const gone = new Set(lost.nodeIds);
  let chunksLost = 0;
  let chunksAtOne = 0;
  for (const { nodeIds, heldCount } of live) {
    const left = nodeIds.filter((nodeId) => !gone.has(nodeId)).length;
    if (left === 0) chunksLost += heldCount;
    if (left === 1) chunksAtOne += heldCount;
  }
  return { ...lost, chunksLost, chunksAtOne };
}

/**
 * For a pair only sets of at most three copies matter. With single[n] = chunks whose one copy is on n, double[n, m] those
 * with exactly these two, and so on, losing n and m loses single[n] + single[m] + double[n, m] and leaves with one copy:
 * all other singles, the doubles with exactly one of both, and the triples with both.
 */
function weakestPair(nodes: readonly CopyNode[], live: readonly LiveSet[]): WeakSpot | undefined {
  const ids = nodes.map((node) => node.nodeId).toSorted((left, right) => left - right);
  const counts = countByPairs(live);
  let best: WeakSpot | undefined;
  for (const [position, first] of ids.entries()) {
    for (const second of ids.slice(position + 1)) {
      const spot = counts.spotOf(first, second);
      if (best === undefined || isWorse(spot, best)) best = { nodeIds: [first, second], zone: undefined, ...spot };
    }
  }
  return best;
}

interface PairCounts {
  readonly spotOf: (first: number, second: number) => Pick<WeakSpot, "chunksLost" | "chunksAtOne">;
}

/** Keys of pairs: node ids are below 2^21, so that both fit into a safe integer. */
const pairFactor = 2 ** 21;

function countByPairs(live: readonly LiveSet[]): PairCounts {
  const single = new Map<number, number>();
  const inDoubles = new Map<number, number>();
  const double = new Map<number, number>();
  const triple = new Map<number, number>();
  let singles = 0;
  const add = (counts: Map<number, number>, key: number, count: number): void => {
    counts.set(key, (counts.get(key) ?? 0) + count);
  };
  for (const { nodeIds, heldCount } of live) {
    if (nodeIds.length > 3) continue;
    if (nodeIds.length === 1) singles += heldCount;
    for (const [position, first] of nodeIds.entries()) {
      if (nodeIds.length === 1) add(single, first, heldCount);
      if (nodeIds.length === 2) add(inDoubles, first, heldCount);
      for (const second of nodeIds.slice(position + 1))
        add(nodeIds.length === 2 ? double : triple, first * pairFactor + second, heldCount);
    }
  }
  const at = (counts: ReadonlyMap<number, number>, key: number): number => counts.get(key) ?? 0;
  return {
    spotOf: (first, second) => {
      const pair = first * pairFactor + second;
      const own = at(single, first) + at(single, second);
      const both = at(double, pair);
      const one = at(inDoubles, first) + at(inDoubles, second) - 2 * both;
      return { chunksLost: own + both, chunksAtOne: singles - own + one + at(triple, pair) };
    },
  };
}

function worst(spots: readonly WeakSpot[]): WeakSpot | undefined {
  let found: WeakSpot | undefined;
  for (const spot of spots) if (found === undefined || isWorse(spot, found)) found = spot;
  return found;
}

function isWorse(
  left: Pick<WeakSpot, "chunksLost" | "chunksAtOne">,
  right: Pick<WeakSpot, "chunksLost" | "chunksAtOne">,
): boolean {
  return left.chunksLost === right.chunksLost
    ? left.chunksAtOne > right.chunksAtOne
    : left.chunksLost > right.chunksLost;
}
