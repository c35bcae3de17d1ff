import { create } from "@bufbuild/protobuf";
import { isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  ExchangeRequestSchema,
  RaftService,
  type ExchangeRequest,
  type ExchangeResponse,
} from "@holdfast/proto/raft/v1/raft";
import type { Network } from "@holdfast/rpc";
import type { Random, Timer, Timers } from "@holdfast/runtime";
import type { EntryId } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { encodeMessage } from "./codec.ts";
import { bytesOfHex, cofoundersFromWire, hexOf, standingFromWire } from "./hello-codec.ts";
import { isBareAppend, PeerQueue, type PeerQueueLimits } from "./peer-queue.ts";
import type { PeerAnswer, PeerHello } from "./transport.ts";

/** Messages of one frame hold about so many bytes; a larger one travels alone. */
const frameBytesMax = 1024 * 1024;

/** What the sender to one peer needs. */
export interface PeerSenderOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly clusterId: string;
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly address: string;
  /** Where the others reach this node. */
  readonly ownAddress: string;
  readonly queue: PeerQueueLimits;
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  /** Every member has the log up to here, as far as this node knows. */
  readonly everyoneHas: () => LogIndex;
  /** What this node says of its directory now. */
  readonly ownHello: () => PeerHello;
  /** The term, and the last entry that this node has on disk. */
  readonly ownHeld: () => EntryId;
  readonly onUnreachable: () => void;
  readonly onAnswer: (answer: PeerAnswer) => void;
}

/** Keeps one stream to one peer: queued messages go out in frames; a broken stream is made again after a growing wait. */
export class PeerSender {
  readonly #options: PeerSenderOptions;
  readonly #queue: PeerQueue;
  #abort: AbortController | undefined;
  #retry: Timer | undefined;
  #wake: (() => void) | undefined;
  /** Runs while a bare append may still give way to one with entries. */
  #lingering: Timer | undefined;
  #failures = 0;
  #isStopped = false;
  #isHelloDue = true;
  /** Of this node's directory, for its life. */
  #incarnation: Uint8Array | undefined;
  /** Settles when the newest stream is over. */
  #running: Promise<void> = Promise.resolve();

  constructor(options: PeerSenderOptions) {
    this.#options = options;
    this.#queue = new PeerQueue(options.queue);
  }

  /** Makes the first stream. */
  start(): void {
    if (!this.#isStopped) this.#running = this.#exchange();
  }

  /** Host:port it sends to. */
  get address(): string {
    return this.#options.address;
  }

  /** Says who this is, and asks how the peer regards it. */
  hello(): void {
    this.#isHelloDue = true;
    this.#notify();
  }

  send(message: Message): void {
    if (this.#isStopped) return;
    const dropped = this.#queue.push(message);
    if (dropped > 0) this.#options.onUnreachable();
    if (isBareAppend(message)) this.#linger();
    else this.#notify();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    this.#lingering?.cancel();
    this.#abort?.abort();
    this.#notify();
    await this.#running;
  }

  async #exchange(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#isHelloDue = true;
    this.#queue.connect();
    try {
      const client = this.#options.network.client(RaftService, this.#options.address);
      for await (const answer of client.exchange(this.#frames(abort.signal), { signal: abort.signal })) {
        const isRight = answer.clusterId === this.#options.clusterId && answer.from === this.#options.peer;
        if (!isRight) {
          this.#options.logger.error("raft.peer_is_another", {
            peer: this.#options.peer,
            address: this.#options.address,
            answeredAs: answer.from,
            answeredCluster: answer.clusterId,
          });
          break;
        }
        this.#failures = 0;
        this.#options.onAnswer(answerOf(answer));
      }
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      if (!this.#isStopped) this.#noteBreak(error.kind, error.message);
    } finally {
      abort.abort();
      this.#notify();
    }
    this.#retryLater();
  }

  #noteBreak(kind: string, message: string): void {
    const fields = { peer: this.#options.peer, address: this.#options.address, kind, message };
    // A peer that is away is ordinary and would fill the log at every attempt.
    if (this.#failures === 0 || kind === "wrongCluster") this.#options.logger.warn("raft.peer_stream_broke", fields);
    else this.#options.logger.debug("raft.peer_stream_broke", fields);
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    this.#queue.disconnect();
    this.#options.onUnreachable();
    const { reconnectMsMin, reconnectMsMax, random, timers } = this.#options;
    const waitMs = Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    this.#retry = timers.after(waitMs * (0.5 + random.fraction() / 2), () => this.start());
  }

  async *#frames(signal: AbortSignal): AsyncGenerator<ExchangeRequest> {
    while (!signal.aborted && !this.#isStopped) {
      const messages = this.#queue.take(frameBytesMax);
      if (messages.length > 0 || this.#isHelloDue) yield this.#frame(messages);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #frame(messages: readonly Message[]): ExchangeRequest {
    const { clusterId, self, peer, everyoneHas, ownHello } = this.#options;
    this.#incarnation ??= bytesOfHex(ownHello().incarnation);
    const frame = create(ExchangeRequestSchema, {
      clusterId,
      from: self,
      to: peer,
      everyoneHasIndex: BigInt(everyoneHas()),
      messages: messages.map(encodeMessage),
      incarnation: this.#incarnation,
    });
    if (messages.some(({ kind }) => kind === "heartbeatRequest")) {
      const held = this.#options.ownHeld();
      frame.durableTerm = BigInt(held.term);
      frame.durableIndex = BigInt(held.index);
    }
    if (!this.#isHelloDue) return frame;
    this.#isHelloDue = false;
    const hello = ownHello();
    frame.isHello = true;
    frame.address = this.#options.ownAddress;
    frame.life = bytesOfHex(hello.life);
    frame.isUndecided = hello.isUndecided;
    frame.round = hello.round;
    frame.durableTerm = BigInt(hello.durableTerm);
    frame.durableVote = hello.durableVote;
    frame.durableIndex = BigInt(hello.durableIndex);
    return frame;
  }

  /** Whoever was answered may propose again in this very turn: then the commit index travels with the entries. */
  #linger(): void {
    this.#lingering ??= this.#options.timers.after(0, () => {
      this.#lingering = undefined;
      if (this.#queue.length > 0) this.#notify();
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function answerOf(answer: ExchangeResponse): PeerAnswer {
  return {
    incarnation: hexOf(answer.incarnation),
    standing: standingFromWire(answer.standing),
    hasHistory: answer.hasHistory,
    round: answer.round,
    cofounders: cofoundersFromWire(answer.cofounders),
  };
}
