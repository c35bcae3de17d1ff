import type { ProposeOutcome } from "../api.ts";
import type { EntryId } from "../core/entries.ts";
import type { Proposal } from "../core/input.ts";
import type { Reply } from "../core/output.ts";
import type { LogIndex } from "../core/types.ts";

type Settle = (outcome: ProposeOutcome) => void;

/** Proposals on their way: waiting for the next turn, for the core's reply, and for being applied here. */
export class Proposals {
  readonly #replies = new Map<number, Settle>();
  #fresh: Proposal[] = [];
  /** Committed and not yet applied here, ascending. */
  #committed: { readonly id: EntryId; readonly settle: Settle }[] = [];

  /** Those that wait for an outcome. */
  get openCount(): number {
    return this.#replies.size + this.#committed.length;
  }

  /** Queues one for the next turn under a fresh reference. */
  add(ref: number, data: Uint8Array): Promise<ProposeOutcome> {
    return new Promise((resolve) => {
      this.#fresh.push({ ref, data });
      this.#replies.set(ref, resolve);
    });
  }

  /** Those added since the last call. */
  takeFresh(): readonly Proposal[] {
    if (this.#fresh.length === 0) return this.#fresh;
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** The core's reply to a proposal; false when it is not one of ours. */
  answer(reply: Reply, appliedIndex: LogIndex): boolean {
    const settle = this.#replies.get(reply.ref);
    if (settle === undefined) return false;
    this.#replies.delete(reply.ref);
    if (reply.kind !== "committed") settle(toOutcome(reply));
    else if (reply.id.index <= appliedIndex) settle({ kind: "applied", ...reply.id });
    else this.#committed.push({ id: reply.id, settle });
    return true;
  }

  /** Everything up to `index` is applied here. */
  advance(index: LogIndex): void {
    let count = 0;
    for (const { id, settle } of this.#committed) {
      if (id.index > index) break;
      settle({ kind: "applied", ...id });
      count++;
    }
    if (count > 0) this.#committed = this.#committed.slice(count);
  }

  /** The node stops: those that the core was not told of did not happen, of the others nobody will know. */
  end(): void {
    for (const { ref } of this.#fresh) {
      this.#replies.get(ref)?.({ kind: "notLeader", leader: undefined });
      this.#replies.delete(ref);
    }
    const open = [...this.#replies.values(), ...this.#committed.map(({ settle }) => settle)];
    this.#replies.clear();
    this.#committed = [];
    this.#fresh = [];
    for (const settle of open) settle({ kind: "unknown" });
  }
}

function toOutcome(reply: Exclude<Reply, { kind: "committed" }>): ProposeOutcome {
  switch (reply.kind) {
    case "notLeader":
      return { kind: "notLeader", leader: reply.leader };
    case "overloaded":
    case "superseded":
      return { kind: reply.kind };
    default:
      return { kind: "unknown" };
  }
}
