import type { Message } from "../../core/messages.ts";
import type { PeerId } from "../../core/types.ts";
import type { PeerHello } from "../../transport/transport.ts";

interface Promises {
  readonly incarnation: string;
  /** The highest term in which it acknowledged entries to this node, and up to where. */
  ackTerm: number;
  ackIndex: number;
  /** The highest term in which it voted for this node. */
  voteTerm: number;
}

/**
 * What other members promised to this node: only what they said after it was durable. A member that comes back with less
 * has been given an old copy of its directory, or its disk lied: it does not know what it voted and acknowledged.
 */
export class PromiseMemory {
  readonly #self: PeerId;
  readonly #promises = new Map<PeerId, Promises>();

  constructor(self: PeerId) {
    this.#self = self;
  }

  /** A member said this. */
  note(message: Message, incarnation: string): void {
    if (message.kind === "appendResponse") {
      if (message.hint !== undefined) return;
      const promises = this.#of(message.from, incarnation);
      if (message.term > promises.ackTerm) {
        promises.ackTerm = message.term;
        promises.ackIndex = message.index;
      } else if (message.term === promises.ackTerm) {
        promises.ackIndex = Math.max(promises.ackIndex, message.index);
      }
    } else if (message.kind === "voteResponse" && !message.isPreVote && !message.isRejected) {
      const promises = this.#of(message.from, incarnation);
      promises.voteTerm = Math.max(promises.voteTerm, message.term);
    }
  }

  /** Whether what it says of itself when it makes a stream is less than what it promised. */
  isBroken(peer: PeerId, hello: PeerHello): boolean {
    const promises = this.#promises.get(peer);
    if (promises === undefined || promises.incarnation !== hello.incarnation) return false;
    const { ackTerm, ackIndex, voteTerm } = promises;
    if (hello.durableTerm < Math.max(ackTerm, voteTerm)) return true;
    if (hello.durableTerm === ackTerm && hello.durableIndex < ackIndex) return true;
    return hello.durableTerm === voteTerm && hello.durableVote !== this.#self;
  }

  #of(peer: PeerId, incarnation: string): Promises {
    let promises = this.#promises.get(peer);
    if (promises?.incarnation !== incarnation) {
      promises = { incarnation, ackTerm: 0, ackIndex: 0, voteTerm: 0 };
      this.#promises.set(peer, promises);
    }
    return promises;
  }
}
