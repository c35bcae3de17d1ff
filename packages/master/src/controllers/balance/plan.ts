import type { PartnerOrder } from "../../domain/chunks/placement/partner-order.ts";
import { placementObstacle } from "../../domain/chunks/placement/plan.ts";
import { NodeSums } from "../../domain/chunks/node-sums.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import { EnterableSets } from "./enterable-sets.ts";

/** When copies are moved for balance, and how fast. */
export interface BalanceLimits {
  /** A node is out of balance beyond this share of its capacity ... */
  readonly toleranceOfCapacity: number;
  /** ... or of what it should hold, whichever is more; and never for fewer than two chunks. */
  readonly toleranceOfFairShare: number;
  /** Moves under way at once, in all, to one node, from one node. */
  readonly movesMax: number;
  readonly inPerTargetMax: number;
  readonly outPerSourceMax: number;
  /** Bytes a second that a node fetches for balance. */
  readonly bytesPerSecondMax: number;
}

/** A move that was begun: its target has no confirmed copy yet, or its source still has one. */
export interface ActiveMove {
  readonly chunkId: number;
  readonly lengthBytes: number;
  /** Gives its copy up. */
  readonly sourceId: number;
  readonly targetId: number;
  /** The target's copy is confirmed; the source's was not ordered away yet. */
  readonly isThere: boolean;
}

/** One look at how full the nodes are. */
export interface BalanceView {
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly active: readonly ActiveMove[];
  readonly replication: number;
  readonly chunkSizeBytes: number;
  /** Of these nodes, kept from look to look; absent = made here. */
  readonly order?: PartnerOrder | undefined;
  readonly limits: BalanceLimits;
}

/** So many chunks of a set change one node for another. */
export interface SetMove {
  readonly key: string;
  readonly sourceId: number;
  readonly targetId: number;
  readonly count: number;
}

/** What to move now, and how much is still to do. */
export interface BalancePlan {
  readonly moves: readonly SetMove[];
  /** Moves that remain, those under way left out; an estimate. */
  readonly plannedMoves: number;
  readonly plannedBytes: number;
  /** Difference between the fullest and the emptiest node, in thousandths of capacity. */
  readonly spreadPerMille: number;
  /** Nodes are out of balance, and no move that keeps zones and limits would help. */
  readonly isStuck: boolean;
}

interface Level {
  readonly node: CopyNode;
  /** Bytes there once the moves under way are over. */
  bytes: number;
  readonly fairBytes: number;
  readonly toleranceBytes: number;
  incoming: number;
  outgoing: number;
}

/**
 * Moves copies from nodes that hold more than their fair share (by capacity) to those that hold less, until all are within
 * the tolerance. A function of where the copies are: a leader that takes over plans the same. Each move brings the cluster
 * nearer to its fair shares, so it comes to an end; none gives up a zone or a rack; only chunks with all their copies on
 * nodes that stay are moved.
 */
export function planBalance(view: BalanceView): BalancePlan {
  const levels = levelsOf(view);
  const spreadPerMille = spreadOf(levels);
  const isOut = levels.some((level) => Math.abs(level.bytes - level.fairBytes) > level.toleranceBytes);
  if (!isOut || levels.length < 2)
    return { moves: [], plannedMoves: 0, plannedBytes: 0, spreadPerMille, isStuck: false };
  const surplus = levels.reduce((sum, level) => sum + Math.max(0, level.bytes - level.fairBytes), 0);
  const moves = new Planning(view, levels).plan();
  const isStuck = moves.length === 0 && view.active.length === 0;
  const averageBytes = averageChunkBytes(view);
  const plannedMoves = isStuck ? 0 : Math.ceil(surplus / averageBytes);
  return { moves, plannedMoves, plannedBytes: isStuck ? 0 : surplus, spreadPerMille, isStuck };
}

/** Fair shares of the nodes that take part: active, live, and with a known capacity. */
function levelsOf({ nodes, sets, active, chunkSizeBytes, limits }: BalanceView): readonly Level[] {
  const taking = nodes.filter((node) => node.isActive && node.liveness === "live" && node.capacityBytes > 0);
  const bytes = new NodeSums(taking);
  for (const set of sets) for (const nodeId of set.nodeIds) bytes.add(nodeId, set.heldBytes);
  for (const { sourceId, targetId, lengthBytes, isThere } of active) {
    if (!isThere) bytes.add(targetId, lengthBytes);
    bytes.add(sourceId, -lengthBytes);
  }
  const total = taking.reduce((sum, node) => sum + bytes.of(node.nodeId), 0);
  const capacity = taking.reduce((sum, node) => sum + node.capacityBytes, 0);
  return taking.map((node) => {
    const fairBytes = (total * node.capacityBytes) / capacity;
    const { toleranceOfCapacity, toleranceOfFairShare } = limits;
    const toleranceBytes = Math.max(
      2 * chunkSizeBytes,
      toleranceOfCapacity * node.capacityBytes,
      toleranceOfFairShare * fairBytes,
    );
    const incoming = active.filter((move) => move.targetId === node.nodeId).length;
    const outgoing = active.filter((move) => move.sourceId === node.nodeId).length;
    return { node, bytes: bytes.of(node.nodeId), fairBytes, toleranceBytes, incoming, outgoing };
  });
}

function spreadOf(levels: readonly Level[]): number {
  const fills = levels.map((level) => level.bytes / level.node.capacityBytes);
  return fills.length === 0 ? 0 : Math.round(1000 * Math.max(0, Math.max(...fills) - Math.min(...fills)));
}

function averageChunkBytes({ sets, chunkSizeBytes }: BalanceView): number {
  const count = sets.reduce((sum, set) => sum + set.heldCount, 0);
  const bytes = sets.reduce((sum, set) => sum + set.heldBytes, 0);
  return count === 0 || bytes === 0 ? chunkSizeBytes : bytes / count;
}

interface Option {
  readonly set: CountedSet;
  readonly source: Level;
  readonly chunkBytes: number;
  readonly gain: number;
}

class Planning {
  readonly #view: BalanceView;
  readonly #levels: readonly Level[];
  readonly #byId: ReadonlyMap<number, Level>;
  readonly #nodes: ReadonlyMap<number, CopyNode>;
  readonly #enterable: EnterableSets;
  /** A node is so full that it gives to any that holds less than its share. */
  readonly #isSourceOut: boolean;
  /** Chunks of a set that are spoken for in this round. */
  readonly #taken = new Map<string, number>();

  constructor(view: BalanceView, levels: readonly Level[]) {
    this.#view = view;
    this.#levels = levels;
    this.#byId = new Map(levels.map((level) => [level.node.nodeId, level]));
    this.#nodes = new Map(view.nodes.map((node) => [node.nodeId, node]));
    this.#isSourceOut = levels.some((level) => level.bytes - level.fairBytes > level.toleranceBytes);
    this.#enterable = new EnterableSets(view);
  }

  /** The emptiest node first; a node that finds nothing is left out. */
  plan(): readonly SetMove[] {
    const { active, limits, chunkSizeBytes } = this.#view;
    const moves = new Map<string, SetMove>();
    let open = limits.movesMax - active.length;
    const targets = this.#levels
      .filter((level) => level.bytes < level.fairBytes && placementObstacle(level.node, chunkSizeBytes) === undefined)
      .filter((level) => !level.node.isCautioned)
      .filter((level) => this.#isSourceOut || level.fairBytes - level.bytes > level.toleranceBytes)
      .toSorted(
        (left, right) =>
          left.bytes / left.fairBytes - right.bytes / right.fairBytes || left.node.nodeId - right.node.nodeId,
      );
    for (const target of targets) {
      while (open > 0 && target.incoming < limits.inPerTargetMax) {
        const option = this.#bestOption(target);
        if (option === undefined) break;
        this.#take(moves, option, target);
        open -= 1;
      }
    }
    return [...moves.values()];
  }

  #take(moves: Map<string, SetMove>, { set, source, chunkBytes }: Option, target: Level): void {
    const move = { key: set.key, sourceId: source.node.nodeId, targetId: target.node.nodeId };
    const name = `${move.key}:${move.sourceId}>${move.targetId}`;
    moves.set(name, { ...move, count: (moves.get(name)?.count ?? 0) + 1 });
    this.#taken.set(set.key, (this.#taken.get(set.key) ?? 0) + 1);
    source.bytes -= chunkBytes;
    source.outgoing += 1;
    target.bytes += chunkBytes;
    target.incoming += 1;
  }

  /** The set whose fullest possible source gains most by giving a chunk to the target. */
  #bestOption(target: Level): Option | undefined {
    let best: Option | undefined;
    let bestPosition = Number.POSITIVE_INFINITY;
    for (const { set, position } of this.#enterable.of(target.node.nodeId)) {
      if (set.heldCount <= (this.#taken.get(set.key) ?? 0)) continue;
      if (set.nodeIds.includes(target.node.nodeId)) continue;
      const option = this.#optionOf(set, target);
      if (option === undefined || (best !== undefined && option.gain < best.gain)) continue;
      // Of equally good ones the first, as by a pass over all sets.
      if (option.gain === best?.gain && position >= bestPosition) continue;
      best = option;
      bestPosition = position;
    }
    return best;
  }

  #optionOf(set: CountedSet, target: Level): Option | undefined {
    const chunkBytes = set.heldBytes / set.heldCount;
    let best: Option | undefined;
    for (const nodeId of set.nodeIds) {
      const source = this.#byId.get(nodeId);
      if (source === undefined || source.outgoing >= this.#view.limits.outPerSourceMax) continue;
      const gain = gainOf(source, target, chunkBytes);
      if (gain <= 0 || (best !== undefined && gain <= best.gain)) continue;
      const ends = { sourceId: source.node.nodeId, targetId: target.node.nodeId };
      if (this.#enterable.mayEnter(set, ends) && this.#keepsDomains(set, source.node, target.node))
        best = { set, source, chunkBytes, gain };
    }
    return best;
  }

  #keepsDomains(set: CountedSet, source: CopyNode, target: CopyNode): boolean {
    const before = set.nodeIds.map((nodeId) => this.#nodes.get(nodeId)).filter((node) => node !== undefined);
    const after = [...before.filter((node) => node !== source), target];
    const zones = (nodes: readonly CopyNode[]): number => new Set(nodes.map((node) => node.zone)).size;
    const racks = (nodes: readonly CopyNode[]): number =>
      new Set(nodes.map((node) => `${node.zone}\0${node.rack}`)).size;
    return zones(after) > zones(before) || (zones(after) === zones(before) && racks(after) >= racks(before));
  }
}

/** By how many bytes both together come nearer to their fair shares; 0 when neither is out of its tolerance. */
function gainOf(source: Level, target: Level, chunkBytes: number): number {
  const over = source.bytes - source.fairBytes;
  const under = target.fairBytes - target.bytes;
  if (over <= source.toleranceBytes && under <= target.toleranceBytes) return 0;
  if (over <= 0 || under <= 0) return 0;
  const gain = over + under - Math.abs(over - chunkBytes) - Math.abs(under - chunkBytes);
  // Among moves that help equally, from the node that is fullest by its own measure.
  return gain <= 0 ? 0 : gain + Math.min(1, over / Math.max(1, source.node.capacityBytes));
}
