import type { ServedService } from "@holdfast/rpc";
import type { EntryId } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";

/** What a member says of its directory when it makes a stream. */
export interface PeerHello {
  /** 32 hex digits. */
  readonly incarnation: string;
  /** Of its process, hex digits: another one after every start. Empty: not said. */
  readonly life: string;
  readonly durableTerm: Term;
  /** Whom it voted for in that term; 0: nobody. */
  readonly durableVote: PeerId;
  readonly durableIndex: LogIndex;
  /** It does not know yet whether there is a group to join. */
  readonly isUndecided: boolean;
  /** While undecided: how often it has learned of another directory. */
  readonly round: number;
}

/**
 * How a member regards another one's directory: `member`: no objection; `stranger`: the group knows another directory for
 * it; `rolledBack`: it forgot what it had promised.
 */
export type Standing = "member" | "stranger" | "rolledBack";

/** What a peer answered to a hello. */
export interface PeerAnswer {
  readonly incarnation: string;
  /** Undefined: not said. */
  readonly standing: Standing | undefined;
  /** It has taken part in a term. */
  readonly hasHistory: boolean;
  /** Of the hello that this answers. */
  readonly round: number;
  /** With which directories of the others it founded the group: it vouches that nothing came before them. */
  readonly cofounders: ReadonlyMap<PeerId, string>;
}

/** Whom a transport tells what arrives. Called one at a time, never inside `send`. */
export interface TransportListener {
  /** A well-formed message of a member to this node, from its directory; its content is not vouched for. */
  onMessage(message: Message, incarnation: string): void;
  /** What was sent to this peer lately did not get through. */
  onUnreachable(peer: PeerId): void;
  /** A leader says what it has on disk itself: nobody else hears of its acknowledgements to itself. */
  onHeld(peer: PeerId, incarnation: string, held: EntryId): void;
  /** A peer says that every member has the log up to here, for ever. */
  onEveryoneHas(index: LogIndex): void;
  /**
   * A member made a stream. False: whoever made it forgot what it had promised. It is told so, and nothing else that comes
   * over this stream is passed on. (A stream is what is judged: of a process that ended, one may still arrive.)
   */
  onHello(peer: PeerId, hello: PeerHello): boolean;
  /**
   * How a member with this incarnation is regarded now; what others than `member` say is not passed on, but for what
   * leaders say: voters have checked them, and this node may not have heard yet that the member was taken back.
   */
  standingOf(peer: PeerId, incarnation: string): Standing;
  /** The directories of the others with which this node founded the group. */
  cofounders(): ReadonlyMap<PeerId, string>;
  /** A member answered a hello. */
  onAnswer(peer: PeerId, answer: PeerAnswer): void;
}

/**
 * Carries messages between members. Messages to one peer arrive in the order of `send`, but any of them may be lost, and
 * a broken connection may make earlier ones arrive after a gap: Raft bears both. `send` never waits and never fails.
 */
export interface Transport {
  /** What this node serves; to be listened with. */
  readonly services: readonly ServedService[];
  /** Begins to carry. Before it, what arrives is refused. */
  start(listener: TransportListener): void;
  /** Makes streams to these members and ends those to others. Idempotent. */
  setPeers(peers: readonly { readonly id: PeerId; readonly address: string }[]): void;
  /** Says to all members who this is, and asks how they regard it. */
  hello(): void;
  /** Queues a message for its receiver; one for somebody else than the members is dropped. */
  send(message: Message): void;
  /** Ends all streams; nothing is delivered afterwards. Idempotent. */
  stop(): Promise<void>;
}

/** Whether only a leader says this. */
export function isOfLeader({ kind }: Message): boolean {
  return kind === "appendRequest" || kind === "heartbeatRequest" || kind === "timeoutNow";
}
