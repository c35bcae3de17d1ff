import type { Logger } from "@holdfast/observability";
import type { Clock } from "@holdfast/runtime";
import type { Input } from "../core/input.ts";
import type { EntryId } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import {
  isOfLeader,
  type PeerAnswer,
  type PeerHello,
  type Standing,
  type TransportListener,
} from "../transport/transport.ts";
import type { Compactor } from "./compactor.ts";
import type { MemberDesk } from "./membership/member-desk.ts";
import type { MembershipKeeper } from "./membership/membership-keeper.ts";
import type { StandingKeeper } from "./membership/standing-keeper.ts";

/** What listening to peers needs. */
export interface PeerListenerOptions {
  readonly desk: MemberDesk;
  readonly standing: StandingKeeper;
  readonly keeper: MembershipKeeper;
  readonly compactor: Compactor;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isRunning: () => boolean;
  readonly enqueue: (input: Input) => void;
  /** A member remembers more of this directory than it holds. */
  readonly onRolledBack: (peer: PeerId) => void;
}

/** Takes what the other members say, and passes on what this node may hear in its standing. */
export class PeerListener implements TransportListener {
  readonly #options: PeerListenerOptions;

  constructor(options: PeerListenerOptions) {
    this.#options = options;
  }

  onMessage(message: Message, incarnation: string): void {
    const { standing, desk, enqueue } = this.#options;
    if (standing.standing === "undecided") {
      if (isOfLeader(message)) standing.heardLeader();
      return;
    }
    // A snapshot comes on its own stream; the message alone would be a state without its content.
    if (message.kind === "snapshotRequest") return;
    // Who has not been taken in yet has nothing to vote for.
    const isVoter = standing.standing === "member" && standing.isVouchedFor;
    if (message.kind === "voteRequest" && !isVoter) return;
    desk.note(message, incarnation);
    enqueue({ kind: "receive", message });
  }

  onUnreachable(peer: PeerId): void {
    this.#options.enqueue({ kind: "unreachable", peer });
  }

  onHeld(peer: PeerId, incarnation: string, held: EntryId): void {
    this.#options.desk.noteHeld(peer, incarnation, held);
  }

  onEveryoneHas(index: LogIndex): void {
    this.#options.compactor.learn(index);
  }

  onHello(peer: PeerId, hello: PeerHello): boolean {
    const { desk, logger } = this.#options;
    const isWelcome = desk.isWelcome(peer, hello);
    if (!isWelcome)
      logger.error("raft.member_rolled_back", { peer, term: hello.durableTerm, last: hello.durableIndex });
    return isWelcome;
  }

  standingOf(peer: PeerId, incarnation: string): Standing {
    this.#saw(peer, incarnation);
    return this.#options.desk.standingOf(peer, incarnation);
  }

  cofounders(): ReadonlyMap<PeerId, string> {
    return this.#options.desk.cofounders;
  }

  onAnswer(peer: PeerId, answer: PeerAnswer): void {
    const { isRunning, standing, onRolledBack } = this.#options;
    if (!isRunning()) return;
    this.#saw(peer, answer.incarnation);
    if (answer.standing === "rolledBack") onRolledBack(peer);
    standing.take(peer, answer);
  }

  #saw(peer: PeerId, incarnation: string): void {
    const { keeper, clock } = this.#options;
    if (incarnation !== "") keeper.saw(peer, incarnation, clock.monotonicMs());
  }
}
