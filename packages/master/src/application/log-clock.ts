import type { Clock } from "@holdfast/runtime";

/** While the log's time is ahead of this machine's clock it goes at this part of the real pace, until they meet. */
const slewPace = 0.5;

/**
 * The clock that stamps batches and that stamps are compared with: this machine's, but never before the newest stamp in
 * the log. Where the log is ahead (an earlier leader's clock was fast, this one was set back) time goes on at half its
 * pace instead of standing still: otherwise everything until the clocks meet would have happened at once, and two nodes
 * that die an hour apart would look like one broken switch. Source: adjtime(3) slews in the same way.
 */
export class LogClock implements Clock {
  readonly #machine: Clock;
  /** What was read or noted last, and when by the monotonic clock. */
  #reading: { readonly wallMs: number; readonly monotonicMs: number };

  /** `stampMs` is that of the newest applied batch; 0 before the first. */
  constructor(machine: Clock, stampMs: number) {
    this.#machine = machine;
    this.#reading = { wallMs: stampMs, monotonicMs: machine.monotonicMs() };
  }

  /** Never goes back, not even when another master leads meanwhile. */
  wallMs(): number {
    return Math.floor(this.#goOn(this.#machine.wallMs()));
  }

  /** A batch with this stamp is applied, or was in a snapshot: time goes on from here, also while this master follows and asks nobody. */
  note(stampMs: number): void {
    this.#goOn(stampMs);
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs();
  }

  #goOn(atLeastMs: number): number {
    const monotonicMs = this.#machine.monotonicMs();
    const slewedMs = this.#reading.wallMs + (monotonicMs - this.#reading.monotonicMs) * slewPace;
    const wallMs = Math.max(atLeastMs, slewedMs);
    this.#reading = { wallMs, monotonicMs };
    return wallMs;
  }
}
