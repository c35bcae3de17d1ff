import { isPlanted } from "@holdfast/base";
import type { PeerId } from "../../core/types.ts";
import type { PeerAnswer } from "../../transport/transport.ts";

/** What a node with a new directory does. */
export type AdmissionVerdict = "found" | "join" | "wait";

/**
 * How a node with a new directory finds out whether it founds a group with the others or lost the directory of a member.
 * A group is founded once, with everybody present: else those that lost their directories while the others are away
 * would found a second one.
 *
 * Somebody that knows no other directory for this node proves nothing: it may be the one that has not heard yet. Founding
 * is safe because nobody has taken part in a term: whatever an earlier directory of this member acknowledged, a majority
 * had acknowledged, and somebody of it would have a history, or has lost its directory too.
 *
 * Whoever founds knows the same of all others, if they answered after it knew their directories (`round`): it can vouch
 * for them all later, when there is a history, and whoever founds on its word knows the same. Without that, a member that
 * was there and could not write its founding (its disk was full) would be a blank one for ever, in a group that may need
 * its vote for a leader (VOPR seed 858).
 */
export class Admission {
  readonly #self: { readonly id: PeerId; readonly incarnation: string };
  readonly #others: readonly PeerId[];
  readonly #answers = new Map<PeerId, PeerAnswer>();
  #round = 0;

  constructor(self: { readonly id: PeerId; readonly incarnation: string }, others: readonly PeerId[]) {
    this.#self = self;
    this.#others = others;
  }

  /** How often it has learned of a directory. Questions carry it, and answers repeat it. */
  get round(): number {
    return this.#round;
  }

  /** The directories of the others, if it is known of all that they were new at the same time; else none. */
  get cofounders(): ReadonlyMap<PeerId, string> {
    const founder = this.#founder;
    const isKnown = (peer: PeerId): boolean => this.#isHeard || peer === founder?.[0];
    const heard = [...this.#answers].filter(([peer]) => isKnown(peer));
    const all = new Map([
      ...(founder?.[1].cofounders ?? []),
      ...heard.map(([peer, said]) => [peer, said.incarnation] as const),
    ]);
    all.delete(this.#self.id);
    return all;
  }

  /** A member answered. */
  take(peer: PeerId, answer: PeerAnswer): void {
    if (!this.#others.includes(peer) || answer.standing === undefined) return;
    if (this.#answers.get(peer)?.incarnation !== answer.incarnation) this.#round++;
    this.#answers.set(peer, answer);
  }

  /** What to do now; `isLed`: there is a leader, and those who could vouch for this directory had time to. */
  verdict(isLed: boolean): AdmissionVerdict {
    const answers = [...this.#answers.values()];
    if (isPlanted("welcomeIsEnough") && answers.length > 0) return "found";
    if (answers.some(({ standing }) => standing !== "member")) return "join";
    if (this.#founder !== undefined) return "found";
    const isGroup = isLed || answers.some(({ hasHistory }) => hasHistory);
    // Whoever is away may be the one that vouches: without a leader, joining before it is back would gain nothing.
    if (isGroup) return isLed || this.#isHeard ? "join" : "wait";
    return this.#isHeard ? "found" : "wait";
  }

  /** Somebody that founded while this directory was there. */
  get #founder(): readonly [PeerId, PeerAnswer] | undefined {
    const { id, incarnation } = this.#self;
    return [...this.#answers].find(([, { cofounders }]) => cofounders.get(id) === incarnation);
  }

  /** Everybody answered after everybody was there. */
  get #isHeard(): boolean {
    const answers = [...this.#answers.values()];
    return answers.length === this.#others.length && answers.every(({ round }) => round === this.#round);
  }
}
