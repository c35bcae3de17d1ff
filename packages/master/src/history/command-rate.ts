import type { Clock } from "@holdfast/runtime";
import type { AppliedBatch } from "../application/submission.ts";

/** Counts applied batches that callers asked for: not those of controllers and nodes. */
export class CommandRate {
  readonly #clock: Clock;
  #count = 0;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  note({ actor }: Pick<AppliedBatch, "actor">): void {
    if (!actor.startsWith("controller:") && !actor.startsWith("node:")) this.#count += 1;
  }

  /** A second on average since the last call. */
  perSecond(): number {
    const nowMs = this.#clock.monotonicMs();
    const rate = (this.#count * 1000) / Math.max(1, nowMs - this.#sinceMs);
    this.#count = 0;
    this.#sinceMs = nowMs;
    return rate;
  }
}
