import { ok } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { CopySetSource } from "../../application/copy-set-index.ts";
import type { Submitter } from "../../application/submission.ts";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { decideTrimExtra } from "../../domain/chunks/decide-replicas.ts";
import { PartnerOrder } from "../../domain/chunks/placement/partner-order.ts";
import { chunkTable, isHeld } from "../../domain/chunks/tables.ts";
import { decideHousekeeping } from "../../domain/fleet/decide-settings.ts";
import { clusterTable, readHousekeeping, type ClusterRecord } from "../../domain/state.ts";
import { readerOf, type TableReader } from "../../domain/tables.ts";
import type { FleetObserver } from "../../services/fleet/fleet-observer.ts";
import type { Leadership } from "../../services/fleet/leadership.ts";
import { Balancer, type BalanceRound } from "../balance/balancer.ts";
import type { Controller } from "../controller.ts";
import type { FleetProgressBoard } from "../fleet-progress.ts";
import { Drainer } from "../drain/drainer.ts";
import type { Preset } from "../presets.ts";
import { planTrims, type PlannedTrim } from "../trim/plan.ts";
import { classifySets, countHeld, type ClassifiedSets } from "./classify-sets.ts";
import type { CopyNode } from "./copy-node.ts";
import { CopyMemory, type CopyEnd, type SentCopy } from "./memory.ts";
import { listChunks, openPlaces, readCopyNodes, readMoves, type SeenChunk, type SeenMove } from "./observe.ts";
import { OrderSender, type OrderRound, type OrderSenderOptions } from "./order-sender.ts";
import { planRepair, type RepairPlan, type ShortChunk } from "./plan.ts";
import type { RepairProgress } from "./progress.ts";
import { ReaderPace } from "./reader-pace.ts";

/** Extra copies ordered away in one step. */
const trimsPerStepMax = 128;
/** Nodes whose partners are worked out ahead in one look: a few milliseconds of a thousand nodes' hundred. */
const warmedPerLook = 64;
/** Between two looks when the last one found nothing to do. */
const idleLookMs = 1000;

/** What the controller works with. */
export interface RepairControllerOptions extends Pick<OrderSenderOptions, "sendOrder" | "submitter" | "clock"> {
  readonly preset: Pick<Preset, "repair" | "balance" | "yield">;
  readonly store: KeyValueStore;
  readonly copySets: CopySetSource;
  readonly observer: FleetObserver;
  readonly leadership: Leadership;
  readonly logger: Logger;
  readonly progress: RepairProgress;
  readonly fleetProgress: FleetProgressBoard;
}

/** Gives every chunk its copies, on nodes that stay and evenly spread, and takes away what is too many. */
export function createRepairController(options: RepairControllerOptions): Controller {
  const repair = new Repair(options);
  return { name: "repair", intervalMs: options.preset.repair.intervalMs, step: (isLeading) => repair.step(isLeading) };
}

/** Everything that one step looks at. */
interface Look {
  readonly nowMs: number;
  readonly cluster: ClusterRecord;
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly classes: ClassifiedSets;
  /** Short ones first, then those whose copies leave. */
  readonly chunks: readonly SeenChunk[];
  readonly over: readonly SeenChunk[];
  readonly moves: readonly SeenMove[];
  readonly sinceMs: ReadonlyMap<number, number>;
}

class Repair {
  readonly #options: RepairControllerOptions;
  readonly #tables: TableReader;
  readonly #submitter: Submitter;
  readonly #clock: Clock;
  readonly #sender: OrderSender;
  readonly #balancer: Balancer;
  readonly #drainer: Drainer;
  #memory = new CopyMemory();
  /** Kept while no node comes, goes or moves to another zone. */
  #order = PartnerOrder.among([]);
  #pace: ReaderPace;
  #term = 0;
  #stoppedReason = "";
  #idleUntilMs = 0;
  #replication = 0;
  #isReplicationLowered = false;

  constructor(options: RepairControllerOptions) {
    this.#options = options;
    this.#tables = readerOf(options.store);
    this.#submitter = options.submitter;
    this.#clock = options.clock;
    this.#pace = new ReaderPace(options.preset.yield);
    const shared = { ...options, tables: this.#tables };
    this.#sender = new OrderSender(shared);
    const { resendAfterMs, giveUpAfterMs } = options.preset.repair;
    this.#balancer = new Balancer({ ...shared, resendAfterMs, giveUpAfterMs, limits: options.preset.balance });
    this.#drainer = new Drainer(shared);
  }

  async step(isLeading: () => boolean): Promise<void> {
    this.#noteTerm();
    const cluster = this.#tables.get(clusterTable, []);
    if (cluster === undefined || this.#clock.monotonicMs() < this.#idleUntilMs) return;
    this.#noteReplication(cluster.replication);
    const look = await this.#look(cluster);
    const givenUp = this.#review(look);
    const plan = this.#planRepair(look);
    this.#noteStop(plan.stoppedReason);
    const round = this.#balanceRound(look, plan);
    const moves = await this.#balancer.plan(round);
    if (!isLeading()) return;
    const copies = [...plan.copies, ...moves];
    const sentCount = await this.#send(look, { copies, isLeading });
    this.#showProgress(look, round);
    const trims = this.#planTrims(look, plan);
    if (trims.length > 0 && isLeading()) await this.#trim(trims);
    if (isLeading()) await this.#tidy(look, { round, givenUp });
    const isBusy = sentCount > 0 || trims.length > 0 || this.#memory.active(look.nowMs).length > 0;
    const pauseMs = Math.max(idleLookMs, this.#options.preset.repair.intervalMs);
    if (!isBusy) this.#idleUntilMs = this.#clock.monotonicMs() + pauseMs - this.#options.preset.repair.intervalMs;
  }

  /** Sends the orders, each with the rate that the readers of both ends can bear. */
  #send({ nodes, nowMs }: Look, orders: Pick<OrderRound, "copies" | "isLeading">): Promise<number> {
    const { preset, observer } = this.#options;
    const busy = new Set(this.#memory.active(nowMs).flatMap(({ sourceId, targetId }) => [sourceId, targetId]));
    const samples = nodes.map(({ nodeId }) => ({
      nodeId,
      readP95TenthMs: observer.lastReport(nodeId)?.details?.latency.readP95TenthMs ?? 0,
      isCopying: busy.has(nodeId),
    }));
    this.#pace.look(samples, nowMs);
    const rateOf: OrderRound["rateOf"] = (targetId, sourceIds, purpose) => {
      const { bytesPerSecondMax } = purpose === "balance" ? preset.balance : preset.repair;
      return Math.max(1, Math.floor(bytesPerSecondMax * this.#pace.shareOf([targetId, ...sourceIds.slice(0, 1)])));
    };
    return this.#sender.send({ ...orders, nodes, term: this.#term, memory: this.#memory, rateOf });
  }

  /** A new leadership remembers nothing: streams, orders and what it saw belonged to the one before. */
  #noteTerm(): void {
    const term = this.#options.leadership.term();
    if (term === this.#term) return;
    this.#term = term;
    this.#memory = new CopyMemory();
    this.#pace = new ReaderPace(this.#options.preset.yield);
    this.#idleUntilMs = 0;
    this.#options.progress.reset();
    this.#options.fleetProgress.reset();
  }

  /** Whether fewer copies are wanted than this leader saw before; raising the number again ends it. */
  #noteReplication(replication: number): void {
    if (this.#replication !== 0 && replication !== this.#replication)
      this.#isReplicationLowered = replication < this.#replication;
    this.#replication = replication;
  }

  async #look(cluster: ClusterRecord): Promise<Look> {
    const { store, observer } = this.#options;
    const sets = await this.#options.copySets.sets();
    const nowMs = this.#clock.monotonicMs();
    const nodes = readCopyNodes(this.#tables, { nodes: observer.observedNodes(), sets });
    this.#order = PartnerOrder.among(nodes, this.#order);
    this.#order.warm(warmedPerLook);
    const classes = classifySets(sets, { nodes, replication: cluster.replication });
    const short = await listChunks(store, this.#tables, classes.short);
    const departing = await listChunks(store, this.#tables, classes.departing);
    const moves = await readMoves(store, this.#tables);
    const over = [...moves, ...(await listChunks(store, this.#tables, classes.over))];
    const chunks = [...short, ...departing];
    const sinceMs = this.#memory.sinceMs(
      [...chunks, ...over].map(({ chunkId }) => chunkId),
      nowMs,
    );
    return { nowMs, cluster, nodes, sets, classes, chunks, over, moves, sinceMs };
  }

  #planRepair({ nodes, chunks, nowMs, cluster, sinceMs }: Look): RepairPlan {
    const { replication, chunkSizeBytes } = cluster;
    const { isRepairPaused, isMassLossAccepted } = readHousekeeping(this.#tables);
    const down = new Map(nodes.filter(({ downAtMs }) => downAtMs !== undefined).map((node) => [node.nodeId, node]));
    return planRepair({
      ...{ nodes, order: this.#order },
      chunks: chunks.map((chunk) => this.#shortChunk(chunk, { down, ageMs: ageOf(sinceMs, chunk, nowMs) })),
      active: this.#memory.active(nowMs),
      isAvoided: (chunkId, nodeId) => this.#memory.isAvoided(chunkId, nodeId),
      ...{ replication, chunkSizeBytes, limits: this.#options.preset.repair },
      ...{ isPaused: isRepairPaused, isMassLossAccepted },
    });
  }

  #shortChunk(
    chunk: SeenChunk,
    { down, ageMs }: { readonly down: ReadonlyMap<number, CopyNode>; readonly ageMs: number },
  ): ShortChunk {
    const { placedNodeIds, confirmedNodeIds, lengthBytes } = chunk.row;
    const wallMs = this.#clock.wallMs();
    // What a dead node causes is as old as its NodeDown, whoever leads since; the rest counts from when it was seen.
    const downForMs = confirmedNodeIds.map((nodeId) => wallMs - (down.get(nodeId)?.downAtMs ?? wallMs));
    const openNodeIds = openPlaces(this.#tables, chunk);
    const shortForMs = Math.max(ageMs, ...downForMs);
    return { chunkId: chunk.chunkId, lengthBytes, placedNodeIds, confirmedNodeIds, openNodeIds, shortForMs };
  }

  #review({ nodes, nowMs }: Look): readonly SentCopy[] {
    const live = new Set(nodes.filter((node) => node.liveness === "live").map((node) => node.nodeId));
    const judge = ({ chunkId, targetId }: { chunkId: number; targetId: number }): CopyEnd | undefined => {
      const row = this.#tables.get(chunkTable, [chunkId]);
      if (row?.confirmedNodeIds.includes(targetId) === true) return "confirmed";
      if (row === undefined || !isHeld(row)) return "obsolete";
      return live.has(targetId) ? undefined : "obsolete";
    };
    const { logger, preset } = this.#options;
    const givenUp = this.#memory.review(judge, { nowMs, giveUpAfterMs: preset.repair.giveUpAfterMs });
    for (const { chunkId, targetId, purpose } of givenUp)
      logger.warn("repair.given_up", { chunkId, targetId, purpose });
    return givenUp;
  }

  #noteStop(stoppedReason: string): void {
    const { logger } = this.#options;
    if (stoppedReason !== "" && this.#stoppedReason === "") logger.warn("repair.stopped", { reason: stoppedReason });
    if (stoppedReason === "" && this.#stoppedReason !== "") logger.info("repair.goes_on", {});
    this.#stoppedReason = stoppedReason;
  }

  #balanceRound({ nodes, sets, moves, cluster, nowMs }: Look, plan: RepairPlan): BalanceRound {
    const isRepairing =
      plan.copies.length > 0 || this.#memory.active(nowMs).some(({ purpose }) => purpose !== "balance");
    const paused = readHousekeeping(this.#tables).isBalancePaused ? "An administrator paused balancing." : "";
    const yielding = isRepairing ? "Balancing waits until repair and draining are done." : "";
    const restReason = paused || plan.stoppedReason || yielding || replacingReason(nodes);
    const { replication, chunkSizeBytes } = cluster;
    const order = this.#order;
    return { nodes, sets, order, moves, memory: this.#memory, replication, chunkSizeBytes, restReason };
  }

  #planTrims({ nodes, over, moves, nowMs, cluster, sinceMs }: Look, plan: RepairPlan): readonly PlannedTrim[] {
    // Many nodes vanished together: what seems too many may be all that is left.
    if (plan.stoppedReason !== "" && !readHousekeeping(this.#tables).isRepairPaused) return [];
    const targets = new Map(moves.map(({ chunkId, move }) => [chunkId, move.targetNodeId]));
    const seen = new Map(over.map((chunk) => [chunk.chunkId, chunk]));
    const chunks = [...seen.values()].map((chunk) => ({
      chunkId: chunk.chunkId,
      confirmedNodeIds: chunk.row.confirmedNodeIds,
      overForMs: ageOf(sinceMs, chunk, nowMs),
      moveTargetId: targets.get(chunk.chunkId),
    }));
    return planTrims({
      ...{ nodes, chunks, replication: cluster.replication, isReplicationLowered: this.#isReplicationLowered },
      ...{ extraGraceMs: this.#options.preset.repair.extraGraceMs, trimsMax: trimsPerStepMax },
    });
  }

  async #trim(trims: readonly PlannedTrim[]): Promise<void> {
    await this.#submitter.submit({
      actor: "controller:repair",
      decide: (tables, context) =>
        ok({ events: trims.flatMap((copy) => decideTrimExtra(tables, copy, context)), outcome: {} }),
    });
  }

  /** What follows from the step besides copying: moves that failed, nodes that are drained, an acceptance that is over. */
  async #tidy(
    { nodes, classes }: Look,
    { round, givenUp }: { readonly round: BalanceRound; readonly givenUp: readonly SentCopy[] },
  ): Promise<void> {
    const lostMoves = givenUp.filter(({ purpose }) => purpose === "balance").map(({ chunkId }) => chunkId);
    await this.#balancer.cancelLost(round, lostMoves);
    await this.#drainer.finish(nodes);
    if (classes.short.length > 0 || !readHousekeeping(this.#tables).isMassLossAccepted) return;
    await this.#submitter.submit({
      actor: "controller:repair",
      decide: (tables) => decideHousekeeping(tables, { isMassLossAccepted: false }),
    });
  }

  #showProgress({ nodes, sets, classes, cluster, nowMs }: Look, round: BalanceRound): void {
    const { progress } = this.#options;
    const active = this.#memory.active(nowMs).filter(({ purpose }) => purpose !== "balance" && purpose !== "drain");
    const activeChunks = new Set(active.map(({ chunkId }) => chunkId)).size;
    const bytesPerSecond = this.#memory.bytesPerSecond(nowMs, ["repair", "replication"]);
    const shortCount = countHeld(classes.short);
    const shortBytes = classes.short.reduce((sum, set) => sum + set.heldBytes, 0);
    const remainingMs = bytesPerSecond === 0 ? 0 : Math.round((shortBytes * 1000) / bytesPerSecond);
    const waitingChunks = Math.max(0, shortCount - activeChunks);
    progress.set({ waitingChunks, activeChunks, bytesPerSecond, remainingMs, stoppedReason: this.#stoppedReason });
    progress.setCopyBytesPerSecond(this.#memory.bytesPerSecond(nowMs, ["repair", "replication", "drain", "balance"]));
    this.#balancer.showProgress(round);
    const { replication, chunkSizeBytes } = cluster;
    const stoppedReason = readHousekeeping(this.#tables).isRepairPaused ? "" : this.#stoppedReason;
    const drainRate = this.#memory.bytesPerSecond(nowMs, ["drain"]);
    this.#drainer.showProgress({ nodes, sets, replication, chunkSizeBytes, stoppedReason }, drainRate);
  }
}

/** A newcomer gets what the node before it held, not a part of what everybody else holds. */
function replacingReason(nodes: readonly CopyNode[]): string {
  const replaced = nodes.find(
    ({ successorId }) =>
      successorId !== undefined &&
      nodes.some((node) => node.nodeId === successorId && node.isActive && node.liveness !== "dead"),
  );
  return replaced === undefined ? "" : `Balancing waits until ${replaced.name} has been replaced.`;
}

function ageOf(sinceMs: ReadonlyMap<number, number>, { chunkId }: SeenChunk, nowMs: number): number {
  return nowMs - (sinceMs.get(chunkId) ?? nowMs);
}
