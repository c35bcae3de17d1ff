import type { Clock, Timers } from "@holdfast/runtime";

/** Rates change from order to order; what was saved up while nothing moved is at most so much time's worth. */
const burstMs = 250;

/** Holds bytes back so that no more than so many a second pass. */
export class Pace {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Until when what passed so far has used up the rate. */
  #paidUntilMs = 0;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Settles when the next bytes may come. `bytesPerSecond` 0 = no limit. Errors: cancelled. */
  async pass(bytes: number, bytesPerSecond: number, signal: AbortSignal): Promise<void> {
    if (bytesPerSecond <= 0) return;
    const nowMs = this.#clock.monotonicMs();
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs - burstMs) + (bytes * 1000) / bytesPerSecond;
    const waitMs = this.#paidUntilMs - nowMs;
    if (waitMs > 0) await this.#timers.sleep(waitMs, signal);
  }
}
