import type { ConfigurationChange } from "../../core/entries.ts";
import type { RaftView } from "../../core/raft-core.ts";
import type { PeerId } from "../../core/types.ts";
import { CatchUp } from "./catch-up.ts";
import type { MemberBook } from "./member-book.ts";
import { planChange } from "./plan-change.ts";

/** What the keeper needs. */
export interface MembershipKeeperOptions {
  readonly electionMs: number;
  readonly book: () => MemberBook;
  readonly addressOf: (peer: PeerId) => string;
  /** Orders the change; resolves when it is over, well or not. */
  readonly order: (change: ConfigurationChange) => Promise<void>;
}

/** How long after it became ready a leader waits for members to be registered together, in election timeouts. */
const patienceElections = 2;
/** A directory that was not heard of for so many election timeouts does not count as seen. */
const seenElections = 10;

/**
 * What a leader does about the membership without being asked: registers members' directories, takes members back that
 * lost theirs, and gives learners their vote when they have caught up.
 */
export class MembershipKeeper {
  readonly #options: MembershipKeeperOptions;
  readonly #seen = new Map<PeerId, { readonly incarnation: string; readonly atMs: number }>();
  readonly #catchUps = new Map<PeerId, CatchUp>();
  #readySinceMs: number | undefined;
  #isOrdering = false;
  #notBeforeMs = 0;

  constructor(options: MembershipKeeperOptions) {
    this.#options = options;
  }

  /** A directory spoke for a member. */
  saw(peer: PeerId, incarnation: string, nowMs: number): void {
    this.#seen.set(peer, { incarnation, atMs: nowMs });
  }

  /** Looks whether something is to be done; called every tick. */
  look(view: RaftView, nowMs: number): void {
    if (!view.isReadyLeader) {
      this.#readySinceMs = undefined;
      this.#catchUps.clear();
      return;
    }
    this.#readySinceMs ??= nowMs;
    const caughtUp = this.#observeLearners(view, nowMs);
    if (this.#isOrdering || nowMs < this.#notBeforeMs) return;
    const { book, addressOf, electionMs } = this.#options;
    const change = planChange({
      ...{ view, caughtUp, addressOf, book: book(), seen: this.#seenSince(nowMs - seenElections * electionMs) },
      isPatient: nowMs - this.#readySinceMs < patienceElections * electionMs,
    });
    if (change !== undefined) this.#order(change, nowMs);
  }

  /** Rounds that a learner is through. */
  roundsOf(peer: PeerId): number {
    return this.#catchUps.get(peer)?.rounds ?? 0;
  }

  #seenSince(sinceMs: number): ReadonlyMap<PeerId, string> {
    const recent = [...this.#seen].filter(([, { atMs }]) => atMs >= sinceMs);
    return new Map(recent.map(([peer, { incarnation }]) => [peer, incarnation]));
  }

  #order(change: ConfigurationChange, nowMs: number): void {
    this.#isOrdering = true;
    // A change that was refused is not asked for again at once: every refusal costs an empty entry.
    this.#notBeforeMs = nowMs + this.#options.electionMs;
    void this.#options.order(change).finally(() => {
      this.#isOrdering = false;
    });
  }

  #observeLearners(view: RaftView, nowMs: number): ReadonlySet<PeerId> {
    const caughtUp = new Set<PeerId>();
    const { lastIndex } = view;
    for (const peer of [...this.#catchUps.keys()])
      if (!view.membership.learners.includes(peer)) this.#catchUps.delete(peer);
    for (const { id, isLearner, matchIndex, isActive } of view.peers) {
      if (!isLearner || this.#options.book().get(id)?.isVoterWanted !== true) continue;
      const known = this.#catchUps.get(id);
      if (known === undefined) {
        this.#catchUps.set(id, new CatchUp({ electionMs: this.#options.electionMs, lastIndex, nowMs }));
      } else if (isActive && known.observe({ matchIndex, lastIndex, nowMs })) {
        caughtUp.add(id);
      }
    }
    return caughtUp;
  }
}
