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
 * had acknowledged, and somebody of it would have a history, or has lost its directory too. Joining is safe always, and
 * once somebody has a history there was a majority that had founded, so there is (or will be) a leader to be joined.
 */
export class Admission {
  readonly #others: readonly PeerId[];
  readonly #answers = new Map<PeerId, PeerAnswer>();

  constructor(others: readonly PeerId[]) {
    this.#others = others;
  }

  /** A member answered. */
  take(peer: PeerId, answer: PeerAnswer): void {
    if (this.#others.includes(peer) && answer.standing !== undefined) this.#answers.set(peer, answer);
  }

  /** What to do now. */
  verdict(): AdmissionVerdict {
    const answers = [...this.#answers.values()];
    if (isPlanted("welcomeIsEnough") && answers.length > 0) return "found";
    if (answers.some(({ standing, hasHistory }) => standing !== "member" || hasHistory)) return "join";
    return answers.length === this.#others.length ? "found" : "wait";
  }
}
