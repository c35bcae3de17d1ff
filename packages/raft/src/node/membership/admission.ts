import type { PeerId } from "../../core/types.ts";
import type { PeerAnswer } from "../../transport/transport.ts";

/** What a node with a new directory does. */
export type AdmissionVerdict = "found" | "join" | "wait";

/**
 * How a node with a new directory finds out whether it founds a group with the others or lost the directory of a member.
 * A group is founded once, with everybody present: else those that lost their directories while the others are away
 * would found a second one. One member that knows no other directory for this node proves nothing: it may be the one
 * that has not heard yet, so after its patience such a node joins as one that lost its directory.
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

  /** What to do now; `isPatient`: there is still time for more answers. */
  verdict(isPatient: boolean): AdmissionVerdict {
    const answers = [...this.#answers.values()];
    if (answers.some(({ standing }) => standing !== "member")) return "join";
    if (answers.length === this.#others.length) return "found";
    const isWelcome = answers.some(({ isUndecided }) => !isUndecided);
    return isWelcome && !isPatient ? "join" : "wait";
  }
}
