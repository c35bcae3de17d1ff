import { isHoldfastError } from "@holdfast/base";
import type { Counter, Logger, Metrics } from "@holdfast/observability";
import type { Clock, Timers } from "@holdfast/runtime";
import type { DataDirectories } from "../identity/data-directories.ts";
import { bucketCount } from "../store/chunk-index.ts";
import type { ChunkStore, HeldChunk } from "../store/chunk-store.ts";
import { planScrub, scrubRestMs } from "./plan.ts";
import type { ScrubPolicy } from "./plan.ts";

const fileName = "scrub.json";

/** What scrubbing works with. */
export interface ScrubberOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly directories: DataDirectories;
  readonly store: ChunkStore;
  readonly policy: ScrubPolicy;
}

/** Re-reads every copy on a schedule, oldest first, slowly, and lets readers and writers go first. */
export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #verifiedBytes: Counter;
  readonly #stopping = new AbortController();
  #verifiedAtMs: number[] = Array.from({ length: bucketCount }, () => 0);
  #running: Promise<void> | undefined;
  /** Something was verified that is not written down. */
  #isUnsaved = false;
  #savedAtMs = 0;

  constructor(options: ScrubberOptions) {
    this.#options = options;
    this.#verifiedBytes = options.metrics.counter({
      name: "holdfast_chunkserver_scrubbed_bytes",
      help: "Bytes of chunks re-read by the scrub.",
    });
  }

  /** When the bucket that waits longest was last verified, wall-clock ms; 0 = never. */
  get oldestVerifiedAtMs(): number {
    return Math.min(...this.#verifiedAtMs);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (!this.#isUnsaved) return;
    try {
      await this.#saveIfThereIsSpace();
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      this.#options.logger.warn("chunkserver.scrub_times_not_saved", { reason: error.message });
    }
  }

  async #run(): Promise<void> {
    const { clock, store, policy, logger } = this.#options;
    try {
      await this.#load();
      while (!this.#stopping.signal.aborted) {
        const { usedBytes, activeReadCount, activeWriteCount } = store.status();
        const foregroundCount = activeReadCount + activeWriteCount;
        const step = planScrub(
          { nowMs: clock.wallMs(), verifiedAtMs: this.#verifiedAtMs, usedBytes, foregroundCount },
          policy,
        );
        if (step.kind === "wait") await this.#options.timers.sleep(step.delayMs, this.#stopping.signal);
        else await this.#verifyBucket(step.bucket);
        if (this.#isSaveDue()) await this.#saveIfThereIsSpace();
      }
    } catch (error) {
      if (isHoldfastError(error, "cancelled")) return;
      // Serving goes on; a person must look why the disk refuses.
      logger.error("chunkserver.scrub_stopped", { reason: String(error) });
    }
  }

  async #verifyBucket(bucket: number): Promise<void> {
    const { clock, timers, store, policy } = this.#options;
    const chunks = store.listBucket(bucket);
    for (const chunk of chunks) {
      await this.#verify(chunk);
      this.#verifiedBytes.add(chunk.lengthBytes);
      await timers.sleep(scrubRestMs(chunk.lengthBytes, store.status().usedBytes, policy), this.#stopping.signal);
    }
    this.#verifiedAtMs[bucket] = clock.wallMs();
    // An empty bucket costs nothing to look at again: not worth a sync.
    if (chunks.length > 0) this.#isUnsaved = true;
  }

  /** Buckets may be done many times a second, and each save is a sync that writers wait behind. */
  #isSaveDue(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#isUnsaved || nowMs - this.#savedAtMs < this.#options.policy.saveIntervalMs) return false;
    this.#savedAtMs = nowMs;
    return true;
  }

  async #verify(chunk: HeldChunk): Promise<void> {
    const { store, timers, policy } = this.#options;
    for (;;) {
      try {
        await store.verify(chunk);
        return;
      } catch (error) {
        if (!isHoldfastError(error, "tooBusy")) throw error;
        await timers.sleep(policy.idleMs, this.#stopping.signal);
      }
    }
  }

  async #load(): Promise<void> {
    try {
      const [saved] = await this.#options.directories.read(fileName);
      if (saved === undefined) return;
      const value: unknown = JSON.parse(saved.text);
      const times: unknown =
        typeof value === "object" && value !== null && "verifiedAtMs" in value ? value.verifiedAtMs : undefined;
      const areTimes =
        Array.isArray(times) && times.length === bucketCount && times.every((time) => typeof time === "number");
      if (areTimes) this.#verifiedAtMs = times.map(Number);
    } catch (error) {
      // Unreadable: everything counts as never verified, which only means work.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }

  /** A full disk must not end the search for damage; the times are only a hint for the next start. */
  async #saveIfThereIsSpace(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      if (!isHoldfastError(error, "noSpace")) throw error;
      this.#options.logger.warn("chunkserver.scrub_times_not_saved", { reason: error.message });
    }
  }

  async #save(): Promise<void> {
    const content = `${JSON.stringify({ formatVersion: 1, verifiedAtMs: this.#verifiedAtMs })}\n`;
    await this.#options.directories.write(fileName, content);
    this.#isUnsaved = false;
  }
}
