import type { Clock, Timers } from "@holdfast/runtime";
import type { Input } from "../core/input.ts";
import type { Reply } from "../core/output.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { PeerId } from "../core/types.ts";
import type { Orders } from "./orders.ts";
import type { Proposals } from "./proposals.ts";

/** Whom a leader that stops asks to go on: the live voter with the longest log; undefined when it does not lead or is alone. */
export function handOverTarget(view: RaftView): PeerId | undefined {
  if (view.role !== "leader") return undefined;
  const candidates = view.peers.filter(({ id, isActive, isLearner }) => id !== view.id && isActive && !isLearner);
  return candidates.toSorted((left, right) => right.matchIndex - left.matchIndex)[0]?.id;
}

/** What handing over needs. */
export interface HandOversOptions {
  readonly proposals: Proposals;
  readonly orders: Orders;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly nextRef: () => number;
  readonly enqueue: (input: Input) => void;
  /** What waited goes on. */
  readonly onOver: () => void;
}

/** Hands leadership over so that nothing fails that was accepted: what was proposed before comes before, what comes later waits. */
export class HandOvers {
  readonly #options: HandOversOptions;
  #open = 0;

  constructor(options: HandOversOptions) {
    this.#options = options;
  }

  /** A transfer is under way: the core takes no proposals. */
  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Asks the core to hand over; resolves with its answer. */
  async transfer(to: PeerId): Promise<Reply> {
    const { proposals, orders, nextRef, enqueue, onOver } = this.#options;
    const before = this.isOpen ? [] : proposals.takeFresh();
    if (before.length > 0) enqueue({ kind: "propose", proposals: before });
    const ref = nextRef();
    const answer = orders.add(ref);
    this.#open++;
    enqueue({ kind: "transfer", ref, to });
    try {
      return await answer;
    } finally {
      this.#open--;
      onOver();
    }
  }

  /** Hands over and waits, within a limit, until every proposal has its outcome: before a planned stop. */
  async finish(limit: { readonly to: PeerId; readonly timeoutMs: number; readonly stepMs: number }): Promise<void> {
    const { proposals, clock, timers } = this.#options;
    const endMs = clock.monotonicMs() + limit.timeoutMs;
    let isOver = false;
    void this.transfer(limit.to).then(() => (isOver = true));
    while ((!isOver || proposals.openCount > 0) && clock.monotonicMs() < endMs) await timers.sleep(limit.stepMs);
  }
}
