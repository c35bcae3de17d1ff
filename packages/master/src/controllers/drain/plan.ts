import { placementObstacle } from "../../domain/chunks/placement/plan.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { CopyScales, type CopyNode } from "../repair/copy-node.ts";
import { DrainZones } from "./zones.ts";

/** One look at the nodes that give their copies away. */
export interface DrainView {
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly replication: number;
  readonly chunkSizeBytes: number;
  /** Why nothing is copied at all, or empty. */
  readonly stoppedReason: string;
}

/** How far a node is with giving its copies away. */
export interface DrainProgress {
  readonly nodeId: number;
  /** Copies of needed chunks that are still there. */
  readonly copiesLeft: number;
  readonly bytesLeft: number;
  /** In words; empty while everything can go on. */
  readonly blockedReasons: readonly string[];
}

/** Obstacles that one reason names. */
const namedNodesMax = 5;
/** Reasons told of one node. */
const reasonsMax = 8;

/** Progress of each of these nodes, and why some copies can't leave at present. Cost: the number of copy sets. */
export function planDrains(view: DrainView, nodeIds: readonly number[]): readonly DrainProgress[] {
  const explaining = new Explaining(view);
  const setsOf = new Map<number, CountedSet[]>(nodeIds.map((nodeId) => [nodeId, []]));
  if (nodeIds.length > 0)
    for (const set of view.sets) if (set.heldCount > 0) for (const nodeId of set.nodeIds) setsOf.get(nodeId)?.push(set);
  return nodeIds.map((nodeId) => {
    const own = setsOf.get(nodeId) ?? [];
    const counts = new Map<string, number>();
    for (const set of own) {
      const reason = explaining.reasonOf(set, nodeId);
      if (reason !== "") counts.set(reason, (counts.get(reason) ?? 0) + set.heldCount);
    }
    const blocked = [...counts].slice(0, reasonsMax).map(([reason, count]) => sentenceOf(reason, count));
    return {
      nodeId,
      copiesLeft: own.reduce((sum, set) => sum + set.heldCount, 0),
      bytesLeft: own.reduce((sum, set) => sum + set.heldBytes, 0),
      blockedReasons: view.stoppedReason !== "" && own.length > 0 ? [view.stoppedReason, ...blocked] : blocked,
    };
  });
}

class Explaining {
  readonly #view: DrainView;
  readonly #nodes: ReadonlyMap<number, CopyNode>;
  readonly #scales: CopyScales;
  readonly #drainZones: DrainZones;
  /** Nodes that take copies now. */
  readonly #usable: readonly CopyNode[];

  constructor(view: DrainView) {
    this.#view = view;
    this.#nodes = new Map(view.nodes.map((node) => [node.nodeId, node]));
    this.#scales = new CopyScales(view.nodes, view.replication);
    this.#drainZones = new DrainZones(view.nodes);
    this.#usable = view.nodes.filter((node) => placementObstacle(node, view.chunkSizeBytes) === undefined);
  }

  /** Why the chunks of a set can't leave the node, to follow "3 chunks"; empty when they can. */
  reasonOf(set: CountedSet, leavingId: number): string {
    const { replication } = this.#view;
    const holders = set.nodeIds.map((nodeId) => this.#nodes.get(nodeId)).filter((node) => node !== undefined);
    const { towards } = this.#scales.weigh(set.nodeIds);
    if (towards >= replication) return this.#reasonNotTrimmed(holders, leavingId);
    if (!holders.some((node) => node.liveness === "live")) {
      return `can't be copied: ${listed(holders.map((node) => `${node.name} is ${node.liveness}`))}`;
    }
    return this.#reasonNoTarget(holders, towards);
  }

  /** Enough copies are elsewhere, but not all of them are proof enough to remove one. */
  #reasonNotTrimmed(holders: readonly CopyNode[], leavingId: number): string {
    const others = holders.filter((node) => node.nodeId !== leavingId);
    const solid = others.filter((node) => node.isActive && node.liveness === "live");
    if (solid.length >= this.#view.replication) return "";
    const unsure = others.filter((node) => !solid.includes(node));
    return `wait for other copies to be sure: ${listed(unsure.map(doubtOf))}`;
  }

  #reasonNoTarget(holders: readonly CopyNode[], towards: number): string {
    const { nodes, chunkSizeBytes } = this.#view;
    const staying = holders.filter((node) => node.stays).map((node) => node.nodeId);
    const isZoneAllowed = this.#drainZones.allowed(
      staying,
      holders.map((node) => node.nodeId),
    );
    const isCandidate = (node: CopyNode): boolean => !holders.includes(node) && isZoneAllowed?.(node.zone) !== false;
    if (this.#usable.some(isCandidate)) return "";
    const candidates = nodes
      .filter(isCandidate)
      .map((node) => ({ node, obstacle: placementObstacle(node, chunkSizeBytes) }));
    const zones = new Set(staying.map((nodeId) => this.#nodes.get(nodeId)?.zone ?? ""));
    const where = isZoneAllowed === undefined || zones.size === 0 ? "" : ` outside ${zoneWords([...zones])}`;
    const words = candidates.map(({ node, obstacle }) => `${node.name} ${obstacle}`);
    const who = words.length === 0 ? "there is no other node" : listed(words);
    return `need a ${ordinal(towards + 1)} node${where}; ${who}`;
  }
}

function doubtOf(node: CopyNode): string {
  if (node.liveness !== "live") return `${node.name} is ${node.liveness}`;
  return node.stays ? `${node.name} is in maintenance` : `${node.name} gives its copies away, too`;
}

/** Reasons are written for many: "need ..." or "wait ..." becomes "1 chunk needs ...". */
function sentenceOf(reason: string, count: number): string {
  if (count !== 1) return `${count} chunks ${reason}`;
  return `1 chunk ${reason.replace(/^(need|wait)\b/, "$1s")}`;
}

function zoneWords(zones: readonly string[]): string {
  const names = zones.map((zone) => (zone === "" ? "the unnamed one" : zone));
  return `${zones.length === 1 ? "zone" : "zones"} ${names.join(" and ")}`;
}

function listed(words: readonly string[]): string {
  const more = words.length - namedNodesMax;
  return words.slice(0, namedNodesMax).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function ordinal(number: number): string {
  return (
    ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"][number] ??
    "further"
  );
}
