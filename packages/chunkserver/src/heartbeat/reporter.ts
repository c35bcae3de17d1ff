import { exhaustive, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { FleetService } from "@holdfast/proto/master/v1/master";
import type { HeartbeatResponse, Refused } from "@holdfast/proto/master/v1/master";
import { errorKindFromWire } from "@holdfast/rpc";
import type { Network } from "@holdfast/rpc";
import type { Random, Timers } from "@holdfast/runtime";
import type { Drills } from "../drills/drills.ts";
import type { HighestTerm } from "../identity/highest-term.ts";
import type { NodeIdentity } from "../identity/node-identity.ts";
import type { LatencyMeter } from "../measure/latency-meter.ts";
import type { Replicator } from "../replicate/replicator.ts";
import type { ChunkStore } from "../store/chunk-store.ts";
import type { DeltaLog } from "./delta-log.ts";
import { MasterRing } from "./master-ring.ts";
import { Orders } from "./orders.ts";
import { ReportStream } from "./report-stream.ts";
import type { ReportSender } from "./report.ts";

/** Intervals of reporting. */
export interface ReporterIntervals {
  readonly reportIntervalMs: number;
  /** Ms a change waits for others before it is reported out of turn. */
  readonly changeDelayMs: number;
  /** Ms a master has to say welcome or redirect. */
  readonly welcomeTimeoutMs: number;
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** Ms before asking again after a refusal that only a person can change. */
  readonly refusedDelayMs: number;
}

/** What reporting works with. */
export interface ReporterOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly masterAddresses: readonly string[];
  readonly store: ChunkStore;
  readonly identity: NodeIdentity;
  readonly term: HighestTerm;
  readonly replicator: Pick<Replicator, "order" | "cancel" | "runningCount">;
  readonly meter: Pick<LatencyMeter, "summary">;
  readonly drills: Pick<Drills, "run" | "runningIds">;
  readonly deltas: DeltaLog;
  readonly sender: ReportSender;
  readonly intervals: ReporterIntervals;
  /** Told each time a leader says that this node may not be part of its cluster. */
  readonly onRefused: (error: HoldfastError) => void;
  /** Told whose certificates count no longer, by uuid; all of them. */
  readonly onNodesRefused: (nodeUuids: readonly string[]) => void;
}

/** How a stream to a master ended. */
type StreamEnd = "redirected" | "refused" | "broken";

/**
 * Keeps one heartbeat stream to the leading master open: finds the leader, reports, obeys, and starts over when the
 * stream breaks.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #ring: MasterRing;
  readonly #orders: Orders;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #stream: ReportStream | undefined;
  #streamAddress = "";
  #sequence = 0;
  #failureCount = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#ring = new MasterRing(options.masterAddresses);
    this.#orders = new Orders(options);
    options.deltas.onChange(() => this.#stream?.reportSoon());
  }

  /** Whether a leader knows this node at present. */
  get isWelcome(): boolean {
    return this.#stream?.isWelcome ?? false;
  }

  /** host:port of the leader that knows this node at present. */
  get leaderAddress(): string | undefined {
    return this.isWelcome ? this.#streamAddress : undefined;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the stream and waits for what is in progress. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const end = await this.#runStream(this.#ring.take());
      const delayMs = this.#delayAfter(end);
      if (delayMs > 0 && !signal.aborted) await this.#sleep(delayMs);
    }
  }

  async #runStream(address: string): Promise<StreamEnd> {
    const { network, logger } = this.#options;
    const cancel = new AbortController();
    const onStop = (): void => cancel.abort();
    this.#stopping.signal.addEventListener("abort", onStop);
    const nextSequence = (): number => ++this.#sequence;
    const stream = new ReportStream({ ...this.#options, nextSequence, cancel });
    this.#stream = stream;
    this.#streamAddress = address;
    let end: StreamEnd = "broken";
    try {
      stream.start();
      const orders = network.client(FleetService, address).heartbeat(stream.requests, { signal: cancel.signal });
      for await (const order of orders) {
        const outcome = await this.#obey(order, stream, address);
        if (outcome === undefined) continue;
        end = outcome;
        break;
      }
    } catch (error) {
      if (isHoldfastError(error, "unauthenticated", "denied")) {
        logger.warn("chunkserver.refused", { address, kind: error.kind, reason: error.message });
        this.#options.onRefused(error);
        end = "refused";
      } else if (!this.#stopping.signal.aborted)
        logger.debug("chunkserver.heartbeat_broken", { address, reason: String(error) });
    } finally {
      this.#stopping.signal.removeEventListener("abort", onStop);
      if (stream.isWelcome) logger.info("chunkserver.leader_lost", { address, end });
      this.#stream = undefined;
      stream.stop();
      cancel.abort();
    }
    return end;
  }

  /** Undefined: the stream goes on. Errors end the stream. */
  async #obey({ order }: HeartbeatResponse, stream: ReportStream, address: string): Promise<StreamEnd | undefined> {
    switch (order.case) {
      case "welcome":
        if (!(await this.#welcome(order.value))) return "refused";
        this.#failureCount = 0;
        if (!stream.isWelcome) this.#options.logger.info("chunkserver.leader_found", { address });
        this.#ring.noteWelcome(address);
        stream.noteWelcome();
        return undefined;
      case "redirect":
        return this.#ring.noteRedirect(order.value.leaderAddress) ? "redirected" : "broken";
      case "listBuckets":
        stream.list(order.value.buckets);
        return undefined;
      case "trim":
        void this.#orders.trim(order.value);
        return undefined;
      case "replicate":
        void this.#orders.replicate(order.value);
        return undefined;
      case "drills":
        void this.#orders.drills(order.value);
        return undefined;
      case "refusedNodes":
        this.#options.onNodesRefused(order.value.nodeUuids);
        return undefined;
      case "refused":
        return this.#refused(order.value, address);
      case undefined:
        // An order of a newer master that this version does not know.
        return undefined;
      default:
        return exhaustive(order);
    }
  }

  /** A refusal that passes by itself is asked again soon. */
  #refused({ reason, errorKind }: Refused, address: string): StreamEnd {
    const kind = errorKindFromWire(errorKind);
    this.#options.logger.error("chunkserver.refused", { address, kind, reason });
    this.#options.onRefused(new HoldfastError(kind, reason));
    return kind === "unavailable" ? "broken" : "refused";
  }

  async #welcome(welcome: Parameters<Orders["welcome"]>[0]): Promise<boolean> {
    try {
      return await this.#orders.welcome(welcome);
    } catch (error) {
      this.#options.logger.error("chunkserver.welcome_refused", { reason: String(error) });
      if (isHoldfastError(error, "wrongCluster")) this.#options.onRefused(error);
      return false;
    }
  }

  #delayAfter(end: StreamEnd): number {
    const { retryDelayMsMin, retryDelayMsMax, refusedDelayMs } = this.#options.intervals;
    if (end === "redirected") return 0;
    if (end === "refused") return refusedDelayMs;
    const delayMs = Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** Math.min(this.#failureCount++, 16));
    return delayMs * (0.5 + this.#options.random.fraction() / 2);
  }

  async #sleep(delayMs: number): Promise<void> {
    try {
      await this.#options.timers.sleep(delayMs, this.#stopping.signal);
    } catch {
      // Only the signal ends a sleep early: the loop sees it.
    }
  }
}
