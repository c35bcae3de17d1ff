import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk, Timer, Timers } from "@holdfast/runtime";
import type { Submission, Submitter, SubmitResult } from "./application/submission.ts";

/** How often the room is looked at. */
const lookIntervalMs = 5000;
/** On a small disk this share is the reserve, if it is less than the configured one. */
const reserveShareMax = 0.05;

/** What the guard works with. */
export interface DiskGuardOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly logger: Logger;
  /** The master's data folder. */
  readonly path: string;
  /** Free bytes below which callers' changes are refused. */
  readonly reserveBytes: number;
}

/**
 * Keeps a reserve on the master's own disk: a log that cannot be written takes the master out, so callers' changes are
 * refused while there is still room for elections, for what the cluster must note (copies, dead nodes) and for people
 * to free some.
 */
export class DiskGuard {
  readonly #options: DiskGuardOptions;
  #timer: Timer | undefined;
  #isLow = false;
  #isLooking = false;

  constructor(options: DiskGuardOptions) {
    this.#options = options;
  }

  /** Looks now and from now on. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = this.#options.timers.every(lookIntervalMs, () => {
      void this.#look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Whether the reserve is touched. */
  isLow(): boolean {
    return this.#isLow;
  }

  /** The same submitter for callers from outside, with `noSpace` while the reserve is touched. */
  guard(submitter: Submitter): Submitter {
    return {
      submit: (submission: Submission): Promise<SubmitResult> => {
        if (!this.#isLow) return submitter.submit(submission);
        const message = "The disk of the leading master is nearly full. Nothing was changed; free some space there.";
        return Promise.reject(new HoldfastError("noSpace", message));
      },
    };
  }

  /** A disk that cannot even be asked is reported by whoever writes to it; what was seen last stays. */
  async #look(): Promise<void> {
    const { disk, logger, path, reserveBytes } = this.#options;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { freeBytes, totalBytes } = await disk.space(path);
      const isLow = freeBytes < Math.min(reserveBytes, totalBytes * reserveShareMax);
      if (isLow !== this.#isLow)
        logger[isLow ? "error" : "info"]("master.disk_space", { isLow, freeBytes, totalBytes });
      this.#isLow = isLow;
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      logger.warn("master.disk_space_unknown", { kind: error.kind });
    } finally {
      this.#isLooking = false;
    }
  }
}
