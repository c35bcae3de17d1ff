import type { Random } from "@holdfast/runtime";
import type { RaftStanding } from "../api.ts";
import type { EntryId } from "../core/entries.ts";
import type { RaftView } from "../core/raft-core.ts";
import { hexOf } from "../transport/hello-codec.ts";
import type { PeerHello } from "../transport/transport.ts";

/** What saying who one is needs. */
export interface OwnWordOptions {
  readonly incarnation: string;
  readonly random: Random;
  readonly view: () => RaftView;
  readonly standing: () => RaftStanding;
  /** See `PeerHello.round`. */
  readonly round: () => number;
}

/** What a node says of itself to the others: what they hold it to when it comes back. */
export class OwnWord {
  readonly #options: OwnWordOptions;
  readonly #life: string;

  constructor(options: OwnWordOptions) {
    this.#options = options;
    this.#life = hexOf(options.random.bytes(8));
  }

  /** With a new stream: its directory; never less than it promised. */
  hello(): PeerHello {
    const { incarnation, view, standing, round } = this.#options;
    const { term, vote, lastIndex } = view();
    const position = { durableTerm: term, durableVote: vote, durableIndex: lastIndex };
    return { incarnation, life: this.#life, ...position, isUndecided: standing() === "undecided", round: round() };
  }

  /** With a leader's heartbeats: what it has on disk. */
  held(): EntryId {
    const { term, durableIndex } = this.#options.view();
    return { term, index: durableIndex };
  }
}
