import { HoldfastError } from "@holdfast/base";
import type { Reply } from "../core/output.ts";
import type { LogIndex, PeerId } from "../core/types.ts";

interface Reader {
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: HoldfastError) => void;
}

/** Linearizable reads on their way. All that are asked for within one turn share one question to the core. */
export class Reads {
  readonly #addressOf: (peer: PeerId) => string | undefined;
  readonly #waiting = new Map<number, Reader[]>();
  #fresh: Reader[] = [];

  constructor(addressOf: (peer: PeerId) => string | undefined) {
    this.#addressOf = addressOf;
  }

  /** Queues one for the next turn. Resolves with the index to be waited for. */
  add(): Promise<LogIndex> {
    return new Promise((resolve, reject) => this.#fresh.push({ resolve, reject }));
  }

  /** Puts those added since the last call under `ref`; false when there are none. */
  takeFresh(ref: number): boolean {
    if (this.#fresh.length === 0) return false;
    this.#waiting.set(ref, this.#fresh);
    this.#fresh = [];
    return true;
  }

  /** The core's reply to a question; false when it is not one of ours. */
  answer(reply: Reply): boolean {
    const readers = this.#waiting.get(reply.ref);
    if (readers === undefined) return false;
    this.#waiting.delete(reply.ref);
    for (const reader of readers) {
      if (reply.kind === "readable") reader.resolve(reply.index);
      else reader.reject(this.#toError(reply));
    }
    return true;
  }

  /** The node stops. */
  end(error: HoldfastError): void {
    const open = [...this.#waiting.values(), this.#fresh].flat();
    this.#waiting.clear();
    this.#fresh = [];
    for (const reader of open) reader.reject(error);
  }

  #toError(reply: Reply): HoldfastError {
    if (reply.kind === "notLeader")
      return notLeaderError(reply.leader === undefined ? undefined : this.#addressOf(reply.leader));
    if (reply.kind === "overloaded")
      return new HoldfastError("tooBusy", "too many reads wait for this master; try again in a moment");
    return new HoldfastError(
      "unavailable",
      "leadership changed before the read was confirmed; nothing was read. Try again",
    );
  }
}

/** The refusal of a master that does not lead. */
export function notLeaderError(leaderAddress: string | undefined): HoldfastError {
  if (leaderAddress === undefined)
    return new HoldfastError("notLeader", "this master does not lead and knows no leader; try again in a moment");
  return new HoldfastError("notLeader", `this master does not lead; ask ${leaderAddress}`, { leaderAddress });
}
