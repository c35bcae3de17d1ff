import type { ServedService } from "@holdfast/rpc";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId } from "../core/types.ts";

/** Whom a transport tells what arrives. Called one at a time, never inside `send`. */
export interface TransportListener {
  /** A well-formed message of a member to this node; its content is not vouched for. */
  onMessage(message: Message): void;
  /** What was sent to this peer lately did not get through. */
  onUnreachable(peer: PeerId): void;
  /** A peer says that every member has the log up to here, for ever. */
  onEveryoneHas(index: LogIndex): void;
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
  /** Queues a message for its receiver. */
  send(message: Message): void;
  /** Ends all streams; nothing is delivered afterwards. Idempotent. */
  stop(): Promise<void>;
}
