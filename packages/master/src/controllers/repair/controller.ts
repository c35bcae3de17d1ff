import { create } from "@bufbuild/protobuf";
import { ok } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { HeartbeatResponseSchema, type HeartbeatResponse } from "@holdfast/proto/master/v1/master";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decidePlaceReplicas } from "../../domain/chunks/decide-placed.ts";
import { decideTrimExtra } from "../../domain/chunks/decide-replicas.ts";
import { chunkTable, isHeld } from "../../domain/chunks/tables.ts";
import { placementNodes } from "../../domain/fleet/placement-nodes.ts";
import { nodeTable } from "../../domain/fleet/tables.ts";
import { clusterTable } from "../../domain/state.ts";
import { readerOf, type TableReader } from "../../domain/tables.ts";
import type { FleetObserver } from "../../services/fleet/fleet-observer.ts";
import type { Leadership } from "../../services/fleet/leadership.ts";
import type { Controller } from "../controller.ts";
import type { Preset } from "../presets.ts";
import { RepairMemory, type CopyEnd } from "./memory.ts";
import { observeChunks, openPlaces, type SeenChunk, type SeenChunks } from "./observe.ts";
import { planRepair, type PlannedCopy, type RepairNode, type ShortChunk } from "./plan.ts";
import { planTrims } from "./plan-trims.ts";
import type { RepairProgress } from "./progress.ts";

/** Extra copies ordered away in one step. */
const trimsPerStepMax = 128;
/** Between two looks when the last one found nothing to do. */
const idleLookMs = 1000;

/** What the controller works with. */
export interface RepairControllerOptions {
  readonly preset: Preset["repair"];
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
  readonly observer: FleetObserver;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly progress: RepairProgress;
  /** Sends an order down a node's heartbeat stream; false when there is none or it takes no more for now. */
  readonly sendOrder: (nodeId: number, order: HeartbeatResponse) => boolean;
}

/** Gives every chunk its full number of copies again, and takes away what is too many. */
export function createRepairController(options: RepairControllerOptions): Controller {
  const repair = new Repair(options);
  return { name: "repair", intervalMs: options.preset.intervalMs, step: (isLeading) => repair.step(isLeading) };
}

class Repair {
  readonly #options: RepairControllerOptions;
  readonly #tables: TableReader;
  #memory = new RepairMemory();
  #term = 0;
  #stoppedReason = "";
  #idleUntilMs = 0;

  constructor(options: RepairControllerOptions) {
    this.#options = options;
    this.#tables = readerOf(options.store);
  }

  async step(isLeading: () => boolean): Promise<void> {
    const { store, clock, preset } = this.#options;
    this.#noteTerm();
    const cluster = this.#tables.get(clusterTable, []);
    const nowMs = clock.monotonicMs();
    if (cluster === undefined || nowMs < this.#idleUntilMs) return;
    const nodes = this.#nodes();
    const up = new Set(nodes.filter((node) => node.downAtMs === undefined).map((node) => node.nodeId));
    const { replication, chunkSizeBytes } = cluster;
    const seen = await observeChunks(store, this.#tables, { replication, isUp: (nodeId) => up.has(nodeId) });
    const sinceMs = this.#memory.sinceMs(
      [...seen.short, ...seen.over].map(({ chunkId }) => chunkId),
      nowMs,
    );
    this.#review(nodes, nowMs);
    const plan = planRepair({
      nodes,
      chunks: seen.short.map((chunk) => this.#shortChunk(chunk, { nodes, ageMs: ageOf(sinceMs, chunk, nowMs) })),
      active: this.#memory.active(nowMs),
      isAvoided: (chunkId, nodeId) => this.#memory.isAvoided(chunkId, nodeId),
      ...{ replication, chunkSizeBytes, limits: preset },
    });
    this.#noteStop(plan.stoppedReason);
    if (!isLeading()) return;
    const sentCount = await this.#order(plan.copies, nodes);
    this.#showProgress(seen, chunkSizeBytes);
    const over = seen.over.map((chunk) => ({ ...chunk.row, ...chunk, overForMs: ageOf(sinceMs, chunk, nowMs) }));
    const trims = planTrims({
      ...{ nodes, replication, extraGraceMs: preset.extraGraceMs, trimsMax: trimsPerStepMax },
      chunks: plan.stoppedReason === "" ? over : [],
    });
    if (trims.length > 0 && isLeading()) await this.#trim(trims);
    const isIdle = sentCount === 0 && trims.length === 0 && this.#memory.active(nowMs).length === 0;
    if (isIdle) this.#idleUntilMs = clock.monotonicMs() + Math.max(idleLookMs, preset.intervalMs) - preset.intervalMs;
  }

  /** A new leadership remembers nothing: streams, orders and what it saw belonged to the one before. */
  #noteTerm(): void {
    const term = this.#options.leadership.term();
    if (term === this.#term) return;
    this.#term = term;
    this.#memory = new RepairMemory();
    this.#idleUntilMs = 0;
  }

  #nodes(): readonly RepairNode[] {
    return placementNodes(this.#tables, { nodes: this.#options.observer.observedNodes() }).map((node) => {
      const row = this.#tables.get(nodeTable, [node.nodeId]);
      return { ...node, downAtMs: row?.isDown === true ? row.changedAtMs : undefined };
    });
  }

  #shortChunk(
    chunk: SeenChunk,
    { nodes, ageMs }: { readonly nodes: readonly RepairNode[]; readonly ageMs: number },
  ): ShortChunk {
    const { placedNodeIds, confirmedNodeIds, lengthBytes } = chunk.row;
    const wallMs = this.#options.clock.wallMs();
    // What a dead node causes is as old as its NodeDown, whoever leads since; the rest counts from when it was seen.
    const downForMs = nodes
      .filter((node) => node.downAtMs !== undefined && confirmedNodeIds.includes(node.nodeId))
      .map((node) => wallMs - (node.downAtMs ?? wallMs));
    const openNodeIds = openPlaces(this.#tables, chunk);
    const shortForMs = Math.max(ageMs, ...downForMs);
    return { chunkId: chunk.chunkId, lengthBytes, placedNodeIds, confirmedNodeIds, openNodeIds, shortForMs };
  }

  #review(nodes: readonly RepairNode[], nowMs: number): void {
    const live = new Set(nodes.filter((node) => node.liveness === "live").map((node) => node.nodeId));
    const judge = ({ chunkId, targetId }: { chunkId: number; targetId: number }): CopyEnd | undefined => {
      const row = this.#tables.get(chunkTable, [chunkId]);
      if (row?.confirmedNodeIds.includes(targetId) === true) return "confirmed";
      if (row === undefined || !isHeld(row)) return "obsolete";
      return live.has(targetId) ? undefined : "obsolete";
    };
    const { logger, preset } = this.#options;
    const givenUp = this.#memory.review(judge, { nowMs, giveUpAfterMs: preset.giveUpAfterMs });
    for (const copy of givenUp) logger.warn("repair.given_up", copy);
  }

  #noteStop(stoppedReason: string): void {
    const { logger } = this.#options;
    if (stoppedReason !== "" && this.#stoppedReason === "") logger.warn("repair.stopped", { reason: stoppedReason });
    if (stoppedReason === "" && this.#stoppedReason !== "") logger.info("repair.goes_on", {});
    this.#stoppedReason = stoppedReason;
  }

  /** Commits new places, then sends every order whose place is in the log. Gives the number of orders sent. */
  async #order(copies: readonly PlannedCopy[], nodes: readonly RepairNode[]): Promise<number> {
    const wanted = copies
      .filter((copy) => copy.isNewPlace)
      .map(({ chunkId, targetId }) => ({ chunkId, nodeId: targetId }));
    if (wanted.length > 0) {
      await this.#options.submitter.submit({
        actor: "controller:repair",
        decide: (tables) => ok({ events: decidePlaceReplicas(tables, wanted, "repair"), outcome: {} }),
      });
    }
    const addresses = new Map(nodes.map((node) => [node.nodeId, node.address]));
    let sentCount = 0;
    for (const copy of copies) if (this.#send(copy, addresses)) sentCount += 1;
    return sentCount;
  }

  #send({ chunkId, targetId, sourceIds }: PlannedCopy, addresses: ReadonlyMap<number, string>): boolean {
    const row = this.#tables.get(chunkTable, [chunkId]);
    // Between the look and now: purged, confirmed, or refused a place.
    if (row === undefined || !isHeld(row) || !row.placedNodeIds.includes(targetId)) return false;
    if (row.confirmedNodeIds.includes(targetId)) return false;
    const { sendOrder, clock, preset } = this.#options;
    const value = {
      chunkId: BigInt(chunkId),
      generation: row.generation,
      lengthBytes: row.lengthBytes,
      sha256: row.sha256,
      term: BigInt(this.#term),
      sources: sourceIds.map((nodeId) => ({ nodeId, address: addresses.get(nodeId) ?? "" })),
      bytesPerSecondMax: BigInt(preset.bytesPerSecondMax),
      nodeId: targetId,
    };
    if (!sendOrder(targetId, create(HeartbeatResponseSchema, { order: { case: "replicate", value } }))) return false;
    const [sourceId = 0] = sourceIds;
    this.#memory.noteSent({ chunkId, targetId, sourceId, lengthBytes: row.lengthBytes }, clock.monotonicMs());
    return true;
  }

  async #trim(trims: readonly { readonly chunkId: number; readonly nodeId: number }[]): Promise<void> {
    await this.#options.submitter.submit({
      actor: "controller:repair",
      decide: (tables, context) =>
        ok({ events: trims.flatMap((copy) => decideTrimExtra(tables, copy, context)), outcome: {} }),
    });
  }

  #showProgress(seen: SeenChunks, chunkSizeBytes: number): void {
    const { clock, progress } = this.#options;
    const nowMs = clock.monotonicMs();
    const activeChunks = new Set(this.#memory.active(nowMs).map(({ chunkId }) => chunkId)).size;
    const bytesPerSecond = this.#memory.bytesPerSecond(nowMs);
    const bytesSeen = seen.short.reduce((sum, { row }) => sum + row.lengthBytes, 0);
    const bytesEach = seen.short.length === 0 ? chunkSizeBytes : bytesSeen / seen.short.length;
    const remainingMs = bytesPerSecond === 0 ? 0 : Math.round((seen.shortCount * bytesEach * 1000) / bytesPerSecond);
    progress.set({
      waitingChunks: Math.max(0, seen.shortCount - activeChunks),
      ...{ activeChunks, bytesPerSecond, remainingMs, stoppedReason: this.#stoppedReason },
    });
  }
}

function ageOf(sinceMs: ReadonlyMap<number, number>, { chunkId }: SeenChunk, nowMs: number): number {
  return nowMs - (sinceMs.get(chunkId) ?? nowMs);
}
