import { isPlanted } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import type { Message } from "../core/messages.ts";
import type { RaftSettings } from "./settings.ts";

/** Rounds whose beginning is remembered; the lease only ever rests on a recent one. */
const roundsMax = 128;

/** A timer may fire so much early, and fires in the middle of what it counts. */
const timerErrorMs = 1;

interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * How long after a round of heartbeats was sent its leader may read without asking again (§6.4.1), on this node's clock.
 *
 * A follower that heard the round listens to no candidate for `electionTicksMin` ticks, the first of which may come at
 * once: that many less one. If every member's clock runs at most d wrong, the follower's may run 1 + d fast and this one
 * 1 - d slow. 0: no leases.
 */
export function leaseMsOf(settings: Pick<RaftSettings, "electionTicksMin" | "tickMs" | "leaseDriftPercent">): number {
  const { electionTicksMin, tickMs, leaseDriftPercent } = settings;
  if (leaseDriftPercent === 0) return 0;
  const drift = leaseDriftPercent / 100;
  const loyaltyMs = (electionTicksMin - 1) * (tickMs - timerErrorMs);
  return ((loyaltyMs * (1 - drift)) / (1 + drift)) * (isPlanted("leaseTooLong") ? 4 : 1);
}

/** When rounds were sent, and whether the lease that rests on one is over now: by clocks, not by ticks, which stand still while a process does. */
export class LeaseClock {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #sent = new Map<number, Moment>();

  constructor(options: { readonly clock: Clock; readonly leaseMs: number }) {
    this.#clock = options.clock;
    this.#leaseMs = options.leaseMs;
  }

  /** These messages are about to leave: to be called before the first of them does. */
  sending(messages: readonly Message[]): void {
    if (this.#leaseMs === 0) return;
    for (const message of messages) {
      if (message.kind !== "heartbeatRequest" || this.#sent.has(message.round)) continue;
      this.#sent.set(message.round, this.#now());
      const [oldest] = this.#sent.keys();
      if (this.#sent.size > roundsMax && oldest !== undefined) this.#sent.delete(oldest);
    }
  }

  /**
   * Whether the lease of this round is over. To be asked after the index to read at was taken: a pause between the two
   * then ends the lease. A monotonic clock stands still while the machine sleeps; the wall clock does not, so the lease
   * also ends when that one says so. Its jumps can only end a lease too early.
   */
  isOver(round: number): boolean {
    const sent = this.#sent.get(round);
    if (sent === undefined) return true;
    if (isPlanted("leaseByTicks")) return false;
    const { monotonicMs, wallMs } = this.#now();
    return Math.max(monotonicMs - sent.monotonicMs, wallMs - sent.wallMs) >= this.#leaseMs;
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }
}
