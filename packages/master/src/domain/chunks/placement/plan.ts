import { assert, ok, refused, type Result } from "@holdfast/base";
import type { PlacementNode } from "../../fleet/placement-nodes.ts";
import { drawKey, mix } from "./draw.ts";
import { leastOf, rankOf } from "./partner-order.ts";

/** What is to be placed. */
export interface PlacementRequest {
  readonly nodes: readonly PlacementNode[];
  /** One set of places for each. The draw depends on the id alone, so the plan needs no randomness. */
  readonly chunkIds: readonly number[];
  readonly copies: number;
  /** Fewer places than this are refused. */
  readonly copiesMin: number;
  /** Bytes that one copy may take. */
  readonly chunkSizeBytes: number;
  /** Used only when there are fewer than `copiesMin` others. */
  readonly avoidNodeIds: readonly number[];
}

/** Why nothing could be placed, in words that name the nodes. */
export interface PlacementRefusal {
  readonly kind: "noSpace" | "unavailable";
  readonly message: string;
}

/** A node that is fuller than this takes no new copies (architecture.md section 5, watermarks). */
export const placementFillMax = 0.9;

/** How many other nodes share chunks with one node; bounds the number of distinct copy sets (copysets, Cidon et al. 2013). */
export const scatterWidthNodesMax = 10;

/** Why a node takes no new copy now, or undefined when it does. */
export function placementObstacle(node: PlacementNode, chunkSizeBytes: number): string | undefined {
  if (!node.isActive) return "takes no new copies (not active)";
  if (node.liveness !== "live") return node.liveness === "unknown" ? "has not been heard yet" : `is ${node.liveness}`;
  if (isNearlyFull(node, chunkSizeBytes)) return `is ${fillPercent(node)} % full`;
  if (!node.isWritable) return "says that its disk takes no writes";
  return undefined;
}

/**
 * Places for each chunk: distinct nodes, different zones first, weighted by free bytes and by how busy a node is,
 * within each first node's fixed set of partners. Errors: `unavailable` when too few nodes work, `noSpace` when enough
 * work but are full.
 */
export function planPlacement(request: PlacementRequest): Result<readonly (readonly number[])[], PlacementRefusal> {
  assert(request.copies >= request.copiesMin && request.copiesMin >= 1, "at least the minimum of copies is wanted");
  const eligible = chooseCandidates(request);
  if (eligible.length < request.copiesMin) return refused(explainRefusal(request));
  const partners = new Map<number, readonly PlacementNode[]>();
  const sets = request.chunkIds.map((chunkId) => {
    const first = drawOne(eligible, chunkId);
    let others = partners.get(first.nodeId);
    if (others === undefined) partners.set(first.nodeId, (others = partnersOf(first, eligible, request.copies)));
    return drawPlaces({ first, others, chunkId, copies: request.copies });
  });
  return ok(sets);
}

/** Those in zones of their own; if there are none, those in racks of their own; if there are none, all. */
export function farthest(nodes: readonly PlacementNode[], chosen: readonly PlacementNode[]): readonly PlacementNode[] {
  const otherZones = nodes.filter((node) => chosen.every((one) => one.zone !== node.zone));
  if (otherZones.length > 0) return otherZones;
  const otherRacks = nodes.filter((node) => chosen.every((one) => one.zone !== node.zone || one.rack !== node.rack));
  return otherRacks.length > 0 ? otherRacks : nodes;
}

/** Usable nodes in id order; the ones to avoid only if there are too few others. */
function chooseCandidates(request: PlacementRequest): readonly PlacementNode[] {
  const usable = request.nodes
    .filter((node) => placementObstacle(node, request.chunkSizeBytes) === undefined)
    .toSorted((left, right) => left.nodeId - right.nodeId);
  const preferred = usable.filter((node) => !request.avoidNodeIds.includes(node.nodeId));
  const trusted = preferred.filter((node) => !node.isCautioned);
  // A slow node is left out only while the others suffice for every copy: fewer copies are worse than slow ones.
  if (trusted.length >= request.copies) return trusted;
  return preferred.length >= request.copiesMin ? preferred : usable;
}

/** The fixed partners of a node among these, best first. */
export function placementPartners(first: PlacementNode, nodes: readonly PlacementNode[]): readonly PlacementNode[] {
  return partnersOf(first, nodes, 2);
}

/** The fixed partners of a node: other zones first, then by a draw that only depends on the pair. */
function partnersOf(
  first: PlacementNode,
  eligible: readonly PlacementNode[],
  copies: number,
): readonly PlacementNode[] {
  const others = eligible.filter((node) => node.nodeId !== first.nodeId);
  const count = Math.max(scatterWidthNodesMax, copies - 1);
  if (others.length <= count) return others;
  const ranked = others.map((node) => ({ node, ...rankOf(first, node) }));
  return leastOf(ranked, count).map(({ node }) => node);
}

interface DrawRequest {
  readonly first: PlacementNode;
  readonly others: readonly PlacementNode[];
  readonly chunkId: number;
  readonly copies: number;
}

function drawPlaces(draw: DrawRequest): readonly number[] {
  const chosen: PlacementNode[] = [draw.first];
  while (chosen.length < draw.copies) {
    const left = draw.others.filter((node) => !chosen.includes(node));
    if (left.length === 0) break;
    chosen.push(drawOne(farthest(left, chosen), draw.chunkId));
  }
  return chosen.map((node) => node.nodeId);
}

/** Weighted draw: the greatest of u^(1/weight) (Efraimidis and Spirakis 2006), with u from (chunk, node). */
export function drawOne(nodes: readonly PlacementNode[], chunkId: number): PlacementNode {
  let best: PlacementNode | undefined;
  let bestKey = Number.NEGATIVE_INFINITY;
  for (const node of nodes) {
    const key = drawKey(mix(chunkId, node.nodeId), weightOf(node));
    if (key > bestKey) [best, bestKey] = [node, key];
  }
  assert(best !== undefined, "a draw has candidates");
  return best;
}

function weightOf(node: PlacementNode): number {
  return Math.max(1, node.freeBytes) / (1 + node.activeWriteCount / 8);
}

function isNearlyFull(node: PlacementNode, chunkSizeBytes: number): boolean {
  if (node.freeBytes < chunkSizeBytes) return true;
  return node.capacityBytes > 0 && node.capacityBytes - node.freeBytes > node.capacityBytes * placementFillMax;
}

function fillPercent(node: PlacementNode): number {
  if (node.capacityBytes <= 0) return 100;
  return Math.floor((100 * (node.capacityBytes - node.freeBytes)) / node.capacityBytes);
}

function explainRefusal(request: PlacementRequest): PlacementRefusal {
  const obstacles = request.nodes
    .map((node) => ({ node, obstacle: placementObstacle(node, request.chunkSizeBytes) }))
    .filter((entry) => entry.obstacle !== undefined);
  const fullCount = obstacles.filter(({ node }) => isOnlyFull(node, request.chunkSizeBytes)).length;
  const usableCount = request.nodes.length - obstacles.length;
  const words = obstacles.slice(0, 8).map(({ node, obstacle }) => `${node.name} ${obstacle}`);
  const more = obstacles.length > 8 ? `, and ${obstacles.length - 8} more` : "";
  const nodes = obstacles.length === 0 ? "no other node has joined" : words.join(", ") + more;
  const isFull = usableCount + fullCount >= request.copiesMin;
  const advice = isFull ? "Free space or add a node." : "Nothing was changed; retry when nodes are back, or add one.";
  return {
    kind: isFull ? "noSpace" : "unavailable",
    message: `${usableCount} of the ${request.copiesMin} nodes needed can take a copy: ${nodes}. ${advice}`,
  };
}

function isOnlyFull(node: PlacementNode, chunkSizeBytes: number): boolean {
  return node.isActive && node.liveness === "live" && isNearlyFull(node, chunkSizeBytes);
}
