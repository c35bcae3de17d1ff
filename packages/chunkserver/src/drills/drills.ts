import { create } from "@bufbuild/protobuf";
import { safeInteger } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import { FleetService, PollDrillsRequestSchema } from "@holdfast/proto/master/v1/master";
import type { Network } from "@holdfast/rpc";
import type { Disk, Random, Timer, Timers } from "@holdfast/runtime";
import { MasterRing } from "../heartbeat/master-ring.ts";
import type { ChunkStore, HeldChunk } from "../store/chunk-store.ts";
import { corruptCopy } from "./corrupt-copy.ts";
import { createDrillDisk } from "./drill-disk.ts";
import { DrillGate } from "./drill-gate.ts";
import { DrillNetwork } from "./drill-network.ts";
import { drillKinds } from "./drill-order.ts";
import type { DrillOrder } from "./drill-order.ts";

/** What drills work with: the real ports, not those that they change. */
export interface DrillsOptions {
  readonly disk: Disk;
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly dataDirectories: readonly string[];
}

/** Whom a cut-off node asks whether its drill is over. */
export interface DrillPoll {
  readonly masterAddresses: readonly string[];
  readonly nodeUuid: string;
}

interface Running {
  readonly order: DrillOrder;
  timer: Timer;
}

const pollIntervalMs = 1000;
const pollTimeoutMs = 900;
/** Ended drills that are remembered, so that a late order does not start one anew. */
const endedMax = 256;

/**
 * Failures that the product itself injects into this node. They live behind the ports `disk` and `network`: nothing else
 * of the node knows of them. A drill ends when its time on this node's clock is over, when the leader says so, or with the
 * process; none survives a restart.
 */
export class Drills {
  /** The disk as the rest of the node shall see it. */
  readonly disk: Disk;
  /** The network as the rest of the node shall see it. */
  readonly network: Network;
  readonly #options: DrillsOptions;
  readonly #gate = new DrillGate();
  readonly #running = new Map<number, Running>();
  readonly #ended = new Set<number>();
  #store: Pick<ChunkStore, "verify"> | undefined;
  #poll: DrillPoll | undefined;
  #ring = new MasterRing([]);
  #pollTimer: Timer | undefined;
  #isPolling = false;
  #isStopped = false;

  constructor(options: DrillsOptions) {
    this.#options = options;
    this.disk = createDrillDisk(options.disk, options.timers, () => this.#delayMs());
    this.network = new DrillNetwork(options.network, this.#gate, options.timers);
    this.#showAll();
  }

  /** Drills that run, as reports name them. */
  get runningIds(): readonly number[] {
    return [...this.#running.keys()];
  }

  /** Tells where to ask, and whose copies are checked after a drill damaged one. Called once, before any order. */
  attach(store: Pick<ChunkStore, "verify">, poll: DrillPoll): void {
    this.#store = store;
    this.#poll = poll;
    this.#ring = new MasterRing(poll.masterAddresses);
  }

  /** These drills shall run, and no others. */
  run(orders: readonly DrillOrder[]): void {
    if (this.#isStopped) return;
    const wanted = new Set(orders.map(({ drillId }) => drillId));
    this.#endOthers(wanted, "ordered");
    for (const order of orders) this.#start(order);
    this.#apply();
  }

  /** Ends all; nothing starts any more. */
  stop(): void {
    this.#isStopped = true;
    this.#endOthers(new Set(), "process ends");
    this.#apply();
  }

  #start(order: DrillOrder): void {
    const { timers, logger } = this.#options;
    const { drillId, kind, remainingMs, delayMs } = order;
    const known = this.#running.get(drillId);
    if (known !== undefined || this.#ended.has(drillId) || remainingMs <= 0) return;
    logger.warn("drill.started", { drillId, kind, remainingMs, delayMs });
    const timer = timers.after(remainingMs, () => {
      this.#end(drillId, "time is over");
      this.#apply();
    });
    this.#running.set(drillId, { order, timer });
    if (kind === "corrupt" && order.chunk !== undefined) this.#corrupt(drillId, order.chunk);
  }

  #endOthers(wanted: ReadonlySet<number>, reason: string): void {
    for (const drillId of [...this.#running.keys()]) if (!wanted.has(drillId)) this.#end(drillId, reason);
  }

  #end(drillId: number, reason: string): void {
    const running = this.#running.get(drillId);
    if (running === undefined) return;
    running.timer.cancel();
    this.#running.delete(drillId);
    this.#ended.add(drillId);
    const [oldest] = this.#ended;
    if (this.#ended.size > endedMax && oldest !== undefined) this.#ended.delete(oldest);
    const { kind, chunk } = running.order;
    this.#options.logger.warn("drill.ended", { drillId, kind, reason });
    // No damage outlives its drill unseen: the copy is read as the scrub would read it.
    if (kind === "corrupt" && chunk !== undefined && !this.#isStopped) this.#verify(chunk);
  }

  /** Puts into effect what runs now. */
  #apply(): void {
    const kinds = new Set([...this.#running.values()].map(({ order }) => order.kind));
    const mode = kinds.has("stop") ? "stopped" : kinds.has("partition") ? "partitioned" : "open";
    this.#gate.set(mode);
    this.#showAll();
    if (mode === "open") {
      this.#pollTimer?.cancel();
      this.#pollTimer = undefined;
    } else {
      this.#pollTimer ??= this.#options.timers.every(pollIntervalMs, () => void this.#ask());
    }
  }

  #delayMs(): number {
    let delayMs = 0;
    for (const { order } of this.#running.values())
      if (order.kind === "slow") delayMs = Math.max(delayMs, order.delayMs);
    return delayMs;
  }

  #showAll(): void {
    const running = [...this.#running.values()];
    for (const kind of drillKinds) {
      const description = {
        name: "holdfast_drill_active",
        help: "Failure drills that run on this node.",
        labels: { kind },
      };
      this.#options.metrics.gauge(description).set(running.filter(({ order }) => order.kind === kind).length);
    }
  }

  /** Asks the leader, past the gate, which drills are not over. Never rejects: without an answer the drill goes on. */
  async #ask(): Promise<void> {
    if (this.#isPolling || this.#poll === undefined) return;
    this.#isPolling = true;
    const address = this.#ring.take();
    try {
      const request = create(PollDrillsRequestSchema, { nodeUuid: this.#poll.nodeUuid });
      const client = this.#options.network.client(FleetService, address);
      const { drillIds } = await client.pollDrills(request, { timeoutMs: pollTimeoutMs });
      this.#ring.noteWelcome(address);
      this.#endOthers(new Set(drillIds.map(safeInteger)), "ordered");
      this.#apply();
    } catch (error) {
      this.#options.logger.debug("drill.poll_failed", { address, reason: String(error) });
    } finally {
      this.#isPolling = false;
    }
  }

  #corrupt(drillId: number, chunk: HeldChunk): void {
    const { logger } = this.#options;
    const fields = { drillId, chunkId: chunk.chunkId, generation: chunk.generation };
    corruptCopy(this.#options, chunk).then(
      (isDone) => logger.warn(isDone ? "drill.copy_damaged" : "drill.copy_absent", fields),
      (error: unknown) => logger.warn("drill.damage_failed", { ...fields, reason: String(error) }),
    );
  }

  #verify(chunk: HeldChunk): void {
    this.#store?.verify(chunk).catch((error: unknown) => {
      this.#options.logger.warn("drill.verify_failed", { chunkId: chunk.chunkId, reason: String(error) });
    });
  }
}
