import { ok } from "@holdfast/base";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideCancelMoves } from "../../domain/chunks/decide-moves.ts";
import type { PartnerOrder } from "../../domain/chunks/placement/partner-order.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import type { CopyMemory } from "../repair/memory.ts";
import { listChunksOf, type SeenMove } from "../repair/observe.ts";
import type { PlannedCopy } from "../repair/plan.ts";
import type { FleetProgressBoard } from "../fleet-progress.ts";
import { planBalance, type ActiveMove, type BalanceLimits, type BalancePlan } from "./plan.ts";

/** How often the levels are looked at, besides the limits. */
export interface BalancePace {
  readonly intervalMs: number;
}

/** What the balancer works with. */
export interface BalancerOptions {
  readonly limits: BalanceLimits & BalancePace;
  readonly resendAfterMs: number;
  readonly giveUpAfterMs: number;
  readonly store: KeyValueStore;
  readonly tables: TableReader;
  readonly submitter: Submitter;
  readonly clock: Clock;
  readonly fleetProgress: FleetProgressBoard;
}

/** One look, shared with repair. */
export interface BalanceRound {
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly order: PartnerOrder;
  readonly moves: readonly SeenMove[];
  readonly memory: CopyMemory;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  /** Why nothing may be begun now, or empty. */
  readonly restReason: string;
}

/** A copy that is ordered for balance. */
export type PlannedMove = PlannedCopy & { readonly leavesId: number };

/** The leader's side of moves: what `planBalance` wants, chunk by chunk, and the moves that are under way. */
export class Balancer {
  readonly #options: BalancerOptions;
  #nextLookMs = 0;
  #plan: BalancePlan = { moves: [], plannedMoves: 0, plannedBytes: 0, spreadPerMille: 0, isStuck: false };

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** Orders that go out now: moves that nobody answered for, those that an earlier leader began, and new ones. */
  async plan(round: BalanceRound): Promise<readonly PlannedMove[]> {
    const { clock, limits } = this.#options;
    const nowMs = clock.monotonicMs();
    const again = this.#again(round, nowMs);
    // A new leader has not heard all nodes yet: with half of them the fair shares would be others.
    const isUnsure = round.nodes.some((node) => node.liveness === "unknown");
    if (nowMs < this.#nextLookMs || isUnsure) return again;
    this.#nextLookMs = nowMs + limits.intervalMs;
    const active = this.#activeMoves(round, nowMs);
    this.#plan = planBalance({ ...round, active, limits });
    return round.restReason === "" ? [...again, ...(await this.#choose(round))] : again;
  }

  /** Orders away the places of moves that came to nothing. */
  async cancelLost({ nodes, moves, memory }: BalanceRound, givenUpChunkIds: readonly number[]): Promise<void> {
    const usable = new Set(
      nodes.filter((node) => node.isActive && node.liveness !== "dead").map((node) => node.nodeId),
    );
    const lost = moves.filter(
      ({ chunkId, row, move }) =>
        !row.confirmedNodeIds.includes(move.targetNodeId) &&
        (givenUpChunkIds.includes(chunkId) ||
          memory.isAvoided(chunkId, move.targetNodeId) ||
          !usable.has(move.targetNodeId)),
    );
    if (lost.length === 0) return;
    const chunkIds = lost.map(({ chunkId }) => chunkId);
    await this.#options.submitter.submit({
      actor: "controller:balance",
      decide: (tables, context) => ok({ events: decideCancelMoves(tables, chunkIds, context), outcome: {} }),
    });
  }

  showProgress({ moves, memory, restReason }: BalanceRound): void {
    const { fleetProgress, clock } = this.#options;
    const bytesPerSecond = memory.bytesPerSecond(clock.monotonicMs(), ["balance"]);
    const { plannedMoves, plannedBytes, spreadPerMille, isStuck } = this.#plan;
    const stuck = "Nodes are unequally full, but no move keeps zones and racks apart and finds room.";
    const hasWork = plannedMoves > 0 || isStuck;
    const remainingMs = bytesPerSecond === 0 ? 0 : Math.round((plannedBytes * 1000) / bytesPerSecond);
    fleetProgress.setBalance({
      plannedMoves: BigInt(plannedMoves),
      activeMoves: BigInt(moves.length),
      doneMoves: BigInt(memory.doneMoves),
      bytesPerSecond: BigInt(bytesPerSecond),
      remainingMs: BigInt(remainingMs),
      spreadPerMille,
      stoppedReason: hasWork ? (isStuck && restReason === "" ? stuck : restReason) : "",
    });
  }

  #again({ nodes, moves, memory }: BalanceRound, nowMs: number): readonly PlannedMove[] {
    const sent = new Map(memory.active(nowMs).map((copy) => [`${copy.chunkId}/${copy.targetId}`, copy]));
    const live = liveNodes(nodes);
    return moves.flatMap(({ chunkId, row, move }) => {
      const targetId = move.targetNodeId;
      if (row.confirmedNodeIds.includes(targetId) || !live.has(targetId)) return [];
      const known = sent.get(`${chunkId}/${targetId}`);
      if (memory.isAvoided(chunkId, targetId)) return [];
      if (known !== undefined && (known.purpose !== "balance" || known.sentAgoMs < this.#options.resendAfterMs))
        return [];
      const sourceIds = row.confirmedNodeIds.filter((nodeId) => live.has(nodeId));
      if (sourceIds.length === 0) return [];
      const leavesId = known?.leavesId ?? 0;
      return [{ chunkId, targetId, sourceIds, isNewPlace: false, purpose: "balance" as const, leavesId }];
    });
  }

  /** A move lasts until its source gave its copy up. Which one that will be, a new leader guesses: the fullest. */
  #activeMoves({ nodes, moves, memory }: BalanceRound, nowMs: number): readonly ActiveMove[] {
    const leaves = new Map(memory.active(nowMs).map((copy) => [copy.chunkId, copy.leavesId]));
    const fill = new Map(nodes.map((node) => [node.nodeId, node.heldBytes / Math.max(1, node.capacityBytes)]));
    return moves.map(({ chunkId, row, move }) => {
      const { targetNodeId: targetId } = move;
      const [fullest = 0] = row.confirmedNodeIds
        .filter((nodeId) => nodeId !== targetId)
        .toSorted((left, right) => (fill.get(right) ?? 0) - (fill.get(left) ?? 0));
      const sourceId = leaves.get(chunkId) || fullest;
      // Once it is confirmed, its bytes are in the sets.
      const isThere = row.confirmedNodeIds.includes(targetId);
      return { chunkId, lengthBytes: row.lengthBytes, sourceId, targetId, isThere };
    });
  }

  async #choose({ nodes, moves, memory }: BalanceRound): Promise<readonly PlannedMove[]> {
    const { store, tables, clock } = this.#options;
    const live = liveNodes(nodes);
    const busy = new Set([
      ...moves.map(({ chunkId }) => chunkId),
      ...memory.active(clock.monotonicMs()).map(({ chunkId }) => chunkId),
    ]);
    const chosen: PlannedMove[] = [];
    for (const { key, sourceId, targetId, count } of this.#plan.moves) {
      const chunks = await listChunksOf(store, tables, { key, limit: count + busy.size });
      const free = chunks.filter(
        ({ chunkId, row }) =>
          !busy.has(chunkId) && !row.placedNodeIds.includes(targetId) && !memory.isAvoided(chunkId, targetId),
      );
      for (const { chunkId, row } of free.slice(0, count)) {
        busy.add(chunkId);
        // The node that gives its copy up has it read for the last time: the others are spared.
        const sourceIds = row.confirmedNodeIds
          .filter((nodeId) => live.has(nodeId))
          .toSorted((left, right) => Number(right === sourceId) - Number(left === sourceId));
        chosen.push({ chunkId, targetId, sourceIds, isNewPlace: true, purpose: "balance", leavesId: sourceId });
      }
    }
    return chosen.filter((copy) => copy.sourceIds.length > 0);
  }
}

function liveNodes(nodes: readonly CopyNode[]): ReadonlySet<number> {
  return new Set(nodes.filter((node) => node.liveness === "live").map((node) => node.nodeId));
}
