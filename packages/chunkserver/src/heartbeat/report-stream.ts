import { AsyncQueue } from "@holdfast/base";
import type { HeartbeatRequest } from "@holdfast/proto/master/v1/master";
import type { Timer, Timers } from "@holdfast/runtime";
import type { Drills } from "../drills/drills.ts";
import type { HighestTerm } from "../identity/highest-term.ts";
import type { NodeIdentity } from "../identity/node-identity.ts";
import type { LatencyMeter } from "../measure/latency-meter.ts";
import type { Replicator } from "../replicate/replicator.ts";
import { bucketCount } from "../store/chunk-index.ts";
import type { ChunkStore } from "../store/chunk-store.ts";
import type { DeltaLog } from "./delta-log.ts";
import { reportToWire } from "./report.ts";
import type { ReportSender } from "./report.ts";
import type { ReporterIntervals } from "./reporter.ts";

/** Digests go with the first report of a stream and with every tenth. */
const digestEveryReports = 10;
/** Buckets listed in one report at most. */
const bucketsPerReportMax = 16;
/** Reports that may wait to be sent: a master that reads none for so long is given up. */
const waitingReportsMax = 5;
/**
 * A report counts as certainly received when so many later ones went out on a stream that is still open and whose master
 * said welcome: a break would have ended the stream by then, and the digests in between compare what deltas missed.
 */
const confirmAfterReports = 15;

/** What one stream works with. */
export interface ReportStreamOptions {
  readonly timers: Timers;
  readonly store: ChunkStore;
  readonly identity: NodeIdentity;
  readonly term: HighestTerm;
  readonly deltas: DeltaLog;
  readonly drills: Pick<Drills, "runningIds">;
  readonly meter: Pick<LatencyMeter, "summary">;
  readonly replicator: Pick<Replicator, "runningCount">;
  readonly sender: ReportSender;
  readonly intervals: ReporterIntervals;
  /** Counts the reports of this process. */
  readonly nextSequence: () => number;
  /** Ends the call. */
  readonly cancel: AbortController;
}

/** The reports of one heartbeat stream: at once, every interval, and soon after a change. */
export class ReportStream {
  readonly requests = new AsyncQueue<HeartbeatRequest>();
  readonly #options: ReportStreamOptions;
  readonly #bucketsToList = new Set<number>();
  #reportCount = 0;
  #interval: Timer | undefined;
  #soon: Timer | undefined;
  #welcomeLimit: Timer | undefined;
  #isWelcome = false;

  constructor(options: ReportStreamOptions) {
    this.#options = options;
  }

  /** Whether the master said welcome and the stream is open. */
  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** Sends the first report and sets the clockwork going. */
  start(): void {
    const { timers, intervals, deltas, cancel } = this.#options;
    deltas.startStream();
    this.#report();
    this.#interval = timers.every(intervals.reportIntervalMs, () => this.#report());
    this.#welcomeLimit = timers.after(intervals.welcomeTimeoutMs, () => cancel.abort());
  }

  /** No more reports. */
  stop(): void {
    this.#isWelcome = false;
    this.#interval?.cancel();
    this.#soon?.cancel();
    this.#welcomeLimit?.cancel();
    this.requests.end();
  }

  /** The master knows this node. The first welcome may have changed the identity, so that it is reported at once. */
  noteWelcome(): void {
    this.#welcomeLimit?.cancel();
    if (!this.#isWelcome) this.reportSoon();
    this.#isWelcome = true;
  }

  /** Lists these buckets with the next report. */
  list(buckets: readonly number[]): void {
    for (const bucket of buckets) if (bucket < bucketCount) this.#bucketsToList.add(bucket);
    this.reportSoon();
  }

  /** Reports within the change delay. */
  reportSoon(): void {
    if (this.requests.isClosed) return;
    this.#soon ??= this.#options.timers.after(this.#options.intervals.changeDelayMs, () => {
      this.#soon = undefined;
      this.#report();
    });
  }

  #report(): void {
    if (this.requests.length >= waitingReportsMax) {
      this.#options.cancel.abort();
      return;
    }
    const { store, identity, term, deltas, drills, meter, replicator, sender, nextSequence } = this.#options;
    const sequence = nextSequence();
    const digests = this.#reportCount++ % digestEveryReports === 0 ? store.bucketDigests() : [];
    if (this.#isWelcome) deltas.confirm(sequence - confirmAfterReports);
    const buckets = [...this.#bucketsToList].slice(0, bucketsPerReportMax);
    for (const bucket of buckets) this.#bucketsToList.delete(bucket);
    const listed = buckets.map((bucket) => ({ bucket, chunks: store.listBucket(bucket) }));
    const facts = {
      sender,
      node: identity.facts,
      term: term.term,
      status: store.status(),
      deltas: deltas.take(sequence),
      drillIds: drills.runningIds,
      latency: meter.summary(),
      activeFetchCount: replicator.runningCount,
    };
    this.requests.push(reportToWire({ ...facts, sequence, digests, listed }));
    if (this.#bucketsToList.size > 0) this.reportSoon();
  }
}
