import type { LogIndex } from "../../core/types.ts";

/** Rounds after which a learner that does not keep up is left for a while. */
const roundsMax = 10;

/**
 * Whether a learner keeps up well enough for a vote (dissertation §4.2.1): entries are counted in rounds, each up to the
 * leader's last entry when the round began. One that was over within an election timeout shows that the learner would
 * not hold up commits for longer than that.
 */
export class CatchUp {
  readonly #electionMs: number;
  #round = 0;
  #targetIndex: LogIndex;
  #startedMs: number;

  constructor(begin: { readonly electionMs: number; readonly lastIndex: LogIndex; readonly nowMs: number }) {
    this.#electionMs = begin.electionMs;
    this.#targetIndex = begin.lastIndex;
    this.#startedMs = begin.nowMs;
  }

  /** Rounds that are over. */
  get rounds(): number {
    return this.#round;
  }

  /** Where the learner and the leader stand now; true: it may have a vote. */
  observe(now: { readonly matchIndex: LogIndex; readonly lastIndex: LogIndex; readonly nowMs: number }): boolean {
    if (now.matchIndex < this.#targetIndex) return false;
    const isFast = now.nowMs - this.#startedMs <= this.#electionMs;
    this.#round++;
    if (isFast || this.#round >= roundsMax) {
      // After as many rounds it is as near as it gets; it is looked at again from the beginning.
      this.#round = isFast ? this.#round : 0;
      if (isFast) return true;
    }
    this.#targetIndex = now.lastIndex;
    this.#startedMs = now.nowMs;
    return false;
  }
}
