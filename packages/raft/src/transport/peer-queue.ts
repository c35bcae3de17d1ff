import { entryBytes } from "../core/entries.ts";
import type { AppendRequest, Message } from "../core/messages.ts";

/** How much may wait for one peer. */
export interface PeerQueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

interface QueuedMessage {
  readonly message: Message;
  readonly bytes: number;
}

/** Bytes a message without entries counts as. */
const smallMessageBytes = 64;

/**
 * What waits for one peer. While it is connected, the oldest messages go when a limit is reached. While it is not, only
 * the newest of each kind is kept and none with entries: they would be old news by the time the peer is back.
 */
export class PeerQueue {
  readonly #limits: PeerQueueLimits;
  #messages: QueuedMessage[] = [];
  #head = 0;
  #bytes = 0;
  #isConnected = true;

  constructor(limits: PeerQueueLimits) {
    this.#limits = limits;
  }

  /** Messages that wait. */
  get length(): number {
    return this.#messages.length - this.#head;
  }

  /**
   * Adds a message. Returns how many were dropped for it, itself included. An append without entries that waits last
   * gives way to the next append at the same place: that one says all it says.
   */
  push(message: Message): number {
    if (!this.#isConnected) return this.length + 1 - this.#keepNewest(message);
    if (this.length > 0 && isSaidBy(message, this.#messages.at(-1)?.message)) {
      this.#messages.pop();
      this.#bytes -= smallMessageBytes;
    }
    const before = this.length;
    const bytes = sizeOf(message);
    this.#messages.push({ message, bytes });
    this.#bytes += bytes;
    while (this.length > 1 && (this.length > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax))
      this.#shift();
    return before + 1 - this.length;
  }

  /** The oldest messages, about `bytesMax` in sum, at least one if there is one. */
  take(bytesMax: number): Message[] {
    const taken: Message[] = [];
    for (let bytes = 0; this.length > 0;) {
      const next = this.#messages[this.#head];
      if (next === undefined || (taken.length > 0 && bytes + next.bytes > bytesMax)) break;
      taken.push(next.message);
      bytes += next.bytes;
      this.#shift();
    }
    return taken;
  }

  /** The connection broke: what waited is dropped. */
  disconnect(): void {
    this.#isConnected = false;
    this.#messages = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** A connection is there, or about to be. */
  connect(): void {
    this.#isConnected = true;
  }

  #keepNewest(message: Message): number {
    const others = this.#messages.slice(this.#head).filter((queued) => queued.message.kind !== message.kind);
    const isKept = !(message.kind === "appendRequest" && message.entries.length > 0);
    this.#messages = isKept ? [...others, { message, bytes: smallMessageBytes }] : others;
    this.#head = 0;
    this.#bytes = this.#messages.length * smallMessageBytes;
    return this.#messages.length;
  }

  #shift(): void {
    this.#bytes -= this.#messages[this.#head]?.bytes ?? 0;
    this.#head++;
    // Dropped in large steps, so that taking one costs a constant on average.
    if (this.#head > 64 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** An append that tells nothing but the commit index. */
export function isBareAppend(message: Message): message is AppendRequest {
  return message.kind === "appendRequest" && message.entries.length === 0;
}

function isSaidBy(next: Message, waiting: Message | undefined): boolean {
  return (
    waiting !== undefined &&
    isBareAppend(waiting) &&
    next.kind === "appendRequest" &&
    next.term === waiting.term &&
    next.previous.term === waiting.previous.term &&
    next.previous.index === waiting.previous.index &&
    next.commit >= waiting.commit
  );
}

function sizeOf(message: Message): number {
  let bytes = smallMessageBytes;
  if (message.kind === "appendRequest" || message.kind === "forwardedProposal") {
    for (const entry of message.entries) bytes += entryBytes(entry);
  }
  return bytes;
}
