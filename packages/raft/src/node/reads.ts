import { HoldfastError } from "@holdfast/base";
import type { Input, ReadMode } from "../core/input.ts";
import type { Reply } from "../core/output.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import type { LeaseClock } from "./lease-clock.ts";

interface Reader {
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: HoldfastError) => void;
}

/** What reads need of the node. */
export interface ReadsOptions {
  readonly addressOf: (peer: PeerId) => string | undefined;
  readonly leases: Pick<LeaseClock, "isOver">;
}

/** Linearizable reads on their way. All of one mode that are asked for within one turn share one question to the core. */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #waiting = new Map<number, Reader[]>();
  #fresh: { readonly [Mode in ReadMode]: Reader[] } = { lease: [], round: [] };

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  /** Queues one for the next turn. Resolves with the index to be waited for. */
  add(mode: ReadMode): Promise<LogIndex> {
    return new Promise((resolve, reject) => this.#fresh[mode].push({ resolve, reject }));
  }

  /** Whether some have not been asked for yet. */
  get hasFresh(): boolean {
    return this.#fresh.lease.length + this.#fresh.round.length > 0;
  }

  /** The questions for those added since the last call. */
  takeFresh(nextRef: () => number): readonly Input[] {
    const fresh = this.#fresh;
    this.#fresh = { lease: [], round: [] };
    const questions: Input[] = [];
    for (const mode of ["lease", "round"] as const) {
      if (fresh[mode].length === 0) continue;
      const ref = nextRef();
      this.#waiting.set(ref, fresh[mode]);
      questions.push({ kind: "read", ref, mode });
    }
    return questions;
  }

  /** The core's reply to a question; false when it is not one of ours. What rested on a lease that is over waits for a round. */
  answer(reply: Reply): boolean {
    const readers = this.#waiting.get(reply.ref);
    if (readers === undefined) return false;
    this.#waiting.delete(reply.ref);
    const round = reply.kind === "readable" ? reply.leaseRound : undefined;
    // The core counts ticks, which come late when the process was held up.
    if (round !== undefined && this.#options.leases.isOver(round)) {
      this.#fresh.round.push(...readers);
      return true;
    }
    for (const reader of readers) {
      if (reply.kind === "readable") reader.resolve(reply.index);
      else reader.reject(this.#toError(reply));
    }
    return true;
  }

  /** The node stops. */
  end(error: HoldfastError): void {
    const open = [...this.#waiting.values(), this.#fresh.lease, this.#fresh.round].flat();
    this.#waiting.clear();
    this.#fresh = { lease: [], round: [] };
    for (const reader of open) reader.reject(error);
  }

  #toError(reply: Reply): HoldfastError {
    if (reply.kind === "notLeader")
      return notLeaderError(reply.leader === undefined ? undefined : this.#options.addressOf(reply.leader));
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
