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
 * Where the cluster would lose most: by chunks lost, then by chunks left with one copy. All nodes, pairs and zones count;
 * the cost follows the number of copy sets, and is paid in steps, because a large cluster has tens of thousands.
 */
export function* findWeakest(
  nodes: readonly CopyNode[],
  sets: readonly CountedSet[],
): Generator<undefined, WeakSpots, undefined> {
  const counting = nodes.filter((node) => node.counts);
  const ids = new Set(counting.map((node) => node.nodeId));
  const live = sets
    .filter((set) => set.heldCount > 0)
    .map(({ nodeIds, heldCount }) => ({ nodeIds: nodeIds.filter((nodeId) => ids.has(nodeId)), heldCount }))
    .filter((set) => set.nodeIds.length > 0);
  yield;
  const node = weakestNode(counting, live);
  yield;
  const counts = countByPairs(counting, live);
  yield;
  const pair = weakestPair(counting, counts);
  yield;
  return { node, pair, zone: weakestZone(counting, live) };
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

/** A zone loses what it holds alone, and leaves with one copy what has one outside of it. */
function weakestZone(nodes: readonly CopyNode[], live: readonly LiveSet[]): WeakSpot | undefined {
  const zones = Map.groupBy(nodes, (node) => node.zone);
  if (zones.size < 2) return undefined;
  const zoneOf = new Map(nodes.map((node) => [node.nodeId, node.zone]));
  const lost = new Map<string, number>();
  const atOne = new Map<string, number>();
  let singles = 0;
  for (const { nodeIds, heldCount } of live) {
    const [only, ...others] = nodeIds.map((nodeId) => zoneOf.get(nodeId) ?? "");
    if (only === undefined) continue;
    if (others.length === 0) {
      singles += heldCount;
      add(lost, only, heldCount);
      // It is not left with one copy where it is lost.
      add(atOne, only, -heldCount);
      continue;
    }
    for (const zone of new Set([only, ...others])) {
      const left = Number(only !== zone) + others.reduce((sum, other) => sum + Number(other !== zone), 0);
      if (left === 0) add(lost, zone, heldCount);
      if (left === 1) add(atOne, zone, heldCount);
    }
  }
  const spots = [...zones].map(([zone, members]) => {
    const nodeIds = members.map((node) => node.nodeId);
    return { nodeIds, zone, chunksLost: lost.get(zone) ?? 0, chunksAtOne: singles + (atOne.get(zone) ?? 0) };
  });
  return worst(spots);
}

/**
 * For a pair only sets of at most three copies matter. With single[n] = chunks whose one copy is on n, double[n, m] those
 * with exactly these two, and so on, losing n and m loses single[n] + single[m] + double[n, m] and leaves with one copy:
 * all other singles, the doubles with exactly one of both, and the triples with both. Of the pairs that share no set the
 * worst is that of the two nodes that are worst alone, so the others need not be looked at.
 */
function weakestPair(nodes: readonly CopyNode[], counts: PairCounts): WeakSpot | undefined {
  if (nodes.length < 2) return undefined;
  const [first, second] = nodes
    .map(({ nodeId }) => nodeId)
    .toSorted((left, right) => counts.compareAlone(left, right) || left - right);
  const pairs = counts.sharing();
  if (first !== undefined && second !== undefined) pairs.push([Math.min(first, second), Math.max(first, second)]);
  let best: WeakSpot | undefined;
  for (const nodeIds of pairs) {
    const spot = counts.spotOf(...nodeIds);
    const isFirst =
      best === undefined || isWorse(spot, best) || (!isWorse(best, spot) && isBefore(nodeIds, best.nodeIds));
    if (isFirst) best = { nodeIds, zone: undefined, ...spot };
  }
  return best;
}

/** Of equally weak pairs the one with the lower ids is named. */
function isBefore(left: readonly number[], right: readonly number[]): boolean {
  const [first = 0, second = 0] = left;
  const [otherFirst = 0, otherSecond = 0] = right;
  return first === otherFirst ? second < otherSecond : first < otherFirst;
}

function add<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

interface PairCounts {
  readonly spotOf: (first: number, second: number) => Pick<WeakSpot, "chunksLost" | "chunksAtOne">;
  /** Negative when the left node is worse in a pair with one that it shares no set with. */
  readonly compareAlone: (left: number, right: number) => number;
  /** Pairs that share a set that matters, each in the order of ids. */
  readonly sharing: () => [number, number][];
}

function countByPairs(nodes: readonly CopyNode[], live: readonly LiveSet[]): PairCounts {
  // A pair's key is a small integer in all but the largest clusters: maps are fastest with those.
  const pairFactor = nodes.reduce((idMax, { nodeId }) => Math.max(idMax, nodeId), 0) + 1;
  const single = new Map<number, number>();
  const inDoubles = new Map<number, number>();
  const double = new Map<number, number>();
  const triple = new Map<number, number>();
  let singles = 0;
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
  const pairOf = (key: number): [number, number] => [Math.floor(key / pairFactor), key % pairFactor];
  return {
    compareAlone: (left, right) => at(single, right) - at(single, left) || at(inDoubles, right) - at(inDoubles, left),
    sharing: () => [...new Set([...double.keys(), ...triple.keys()])].map(pairOf),
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
