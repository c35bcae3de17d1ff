import { create } from "@bufbuild/protobuf";
import { equalBytes, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  ExchangeResponseSchema,
  RaftService,
  type ExchangeRequest,
  type ExchangeResponse,
} from "@holdfast/proto/raft/v1/raft";
import { serve, type CallContext, type Network, type ServedService, type ServiceHandlers } from "@holdfast/rpc";
import type { Random, Timers } from "@holdfast/runtime";
import type { EntryId } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { decodeMessage } from "./codec.ts";
import { bytesOfHex, cofoundersToWire, hexOf, standingToWire } from "./hello-codec.ts";
import type { PeerQueueLimits } from "./peer-queue.ts";
import { PeerSender } from "./peer-sender.ts";
import { isOfLeader, type PeerHello, type Standing, type Transport, type TransportListener } from "./transport.ts";

/** What the transport of one node needs. */
export interface NetworkTransportOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly clusterId: string;
  readonly self: PeerId;
  /** host:port where the others reach this node. */
  readonly ownAddress: string;
  /** The other members. */
  readonly peers: readonly { readonly id: PeerId; readonly address: string }[];
  readonly queue: PeerQueueLimits;
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  /** Every member has the log up to here, as far as this node knows. */
  readonly everyoneHas: () => LogIndex;
  /** What this node says of its directory now. */
  readonly ownHello: () => PeerHello;
  /** The term, and the last entry that this node has on disk. */
  readonly ownHeld: () => EntryId;
  /** Takes snapshots; see `SnapshotReceiver`. */
  readonly snapshots: Pick<ServiceHandlers<typeof RaftService>, "offerSnapshot" | "installSnapshot">;
}

/** Leaders of which only what they said themselves is known; more than one in a row is rare. */
const metMax = 4;

/** The transport over the cluster's network: one long-lived stream for each ordered pair of peers. */
export class NetworkTransport implements Transport {
  readonly services: readonly ServedService[];
  readonly #options: NetworkTransportOptions;
  readonly #senders = new Map<PeerId, PeerSender>();
  readonly #ending = new Set<Promise<void>>();
  /** Leaders that nobody here had heard of, and where they said they are; oldest first. */
  readonly #met = new Map<PeerId, string>();
  #named: NetworkTransportOptions["peers"] = [];
  #listener: TransportListener | undefined;

  constructor(options: NetworkTransportOptions) {
    this.#options = options;
    const exchange = (
      requests: AsyncIterable<ExchangeRequest>,
      { caller }: Pick<CallContext, "caller">,
    ): AsyncGenerator<ExchangeResponse> => this.#receive(requests, caller?.id);
    this.services = [serve(RaftService, { exchange, ...options.snapshots })];
    this.setPeers(options.peers);
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    for (const sender of this.#senders.values()) sender.start();
  }

  setPeers(peers: NetworkTransportOptions["peers"]): void {
    this.#named = peers;
    for (const { id } of peers) this.#met.delete(id);
    const met = [...this.#met].map(([id, address]) => ({ id, address }));
    this.#keepSenders([...peers, ...met]);
  }

  #keepSenders(peers: NetworkTransportOptions["peers"]): void {
    for (const [id, sender] of this.#senders) {
      if (peers.some((peer) => peer.id === id && peer.address === sender.address)) continue;
      this.#senders.delete(id);
      this.#ending.add(sender.stop().finally(() => undefined));
    }
    for (const { id, address } of peers) {
      if (id === this.#options.self || this.#senders.has(id)) continue;
      const sender = new PeerSender({
        ...this.#options,
        peer: id,
        address,
        onUnreachable: () => this.#listener?.onUnreachable(id),
        onAnswer: (answer) => this.#listener?.onAnswer(id, answer),
      });
      this.#senders.set(id, sender);
      if (this.#listener !== undefined) sender.start();
    }
  }

  hello(): void {
    for (const sender of this.#senders.values()) sender.hello();
  }

  send(message: Message): void {
    this.#senders.get(message.to)?.send(message);
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    for (const sender of this.#senders.values()) await sender.stop();
    await Promise.all(this.#ending);
  }

  /** `provenId` is who the sender is by its certificate; undefined on a plain network. */
  async *#receive(
    requests: AsyncIterable<ExchangeRequest>,
    provenId: string | undefined,
  ): AsyncGenerator<ExchangeResponse> {
    this.#mustListen();
    yield this.#answer({});
    let told: Standing | undefined;
    let isForgetful = false;
    let incarnationBytes: Uint8Array = new Uint8Array(0);
    let incarnation = "";
    let address = "";
    for await (const frame of requests) {
      const from = this.#checkFrame(frame);
      if (provenId !== undefined && provenId !== String(from))
        throw new HoldfastError("denied", `master ${provenId} may not speak as master ${from}; nothing was changed`);
      const listener = this.#mustListen();
      if (!equalBytes(frame.incarnation, incarnationBytes)) {
        incarnationBytes = frame.incarnation;
        incarnation = hexOf(incarnationBytes);
      }
      if (frame.isHello) ({ address } = frame);
      if (!this.#isNamed(from)) {
        // It asks to be let in and is in nobody's list; a leader is never undecided.
        if (frame.isUndecided) throw this.#notForUs(frame);
        for (const bytes of frame.messages) listener.onMessage(this.#meet(bytes, { from, address }), incarnation);
        continue;
      }
      if (frame.isHello) isForgetful = !listener.onHello(from, helloOf(frame, incarnation));
      const standing = isForgetful ? "rolledBack" : listener.standingOf(from, incarnation);
      for (const bytes of frame.messages) {
        const message = this.#decode(bytes, from);
        if (standing === "member" || isOfLeader(message)) listener.onMessage(message, incarnation);
      }
      if (standing === "member" && !frame.isHello && frame.durableTerm > 0n) {
        const held = { term: Number(frame.durableTerm) as Term, index: Number(frame.durableIndex) as LogIndex };
        listener.onHeld(from, incarnation, held);
      }
      if (standing === "member") listener.onEveryoneHas(Number(frame.everyoneHasIndex) as LogIndex);
      if (frame.isHello || standing !== told) {
        const { round } = frame;
        const cofounders = frame.isUndecided ? cofoundersToWire(listener.cofounders()) : [];
        yield this.#answer({ standing: standingToWire(standing), round, cofounders });
      }
      told = standing;
    }
  }

  #answer(regard: Partial<Pick<ExchangeResponse, "standing" | "round" | "cofounders">>): ExchangeResponse {
    const { clusterId, self, ownHello } = this.#options;
    const { incarnation, isUndecided, durableTerm } = ownHello();
    return create(ExchangeResponseSchema, {
      clusterId,
      from: self,
      incarnation: bytesOfHex(incarnation),
      isUndecided,
      hasHistory: durableTerm > 0,
      ...regard,
    });
  }

  #mustListen(): TransportListener {
    if (this.#listener !== undefined) return this.#listener;
    throw new HoldfastError("unavailable", `master ${this.#options.self} is starting or stopping; try again`);
  }

  #checkFrame(frame: ExchangeRequest): PeerId {
    const { clusterId, self } = this.#options;
    if (frame.clusterId !== clusterId) {
      throw new HoldfastError(
        "wrongCluster",
        `this master belongs to cluster "${clusterId}", not "${frame.clusterId}"; nothing was changed. Check the addresses`,
      );
    }
    const from = frame.from as PeerId;
    if (frame.to !== self || from === self || from <= 0) throw this.#notForUs(frame);
    return from;
  }

  #notForUs({ from, to }: Pick<ExchangeRequest, "from" | "to">): HoldfastError {
    return new HoldfastError(
      "wrongCluster",
      `this is master ${this.#options.self}; a frame from ${from} to ${to} is not for it. Nothing was changed; check the list of masters`,
    );
  }

  #isNamed(peer: PeerId): boolean {
    return this.#named.some(({ id }) => id === peer);
  }

  /**
   * Who was away may hear from a leader that came meanwhile, at an address that neither its log nor its configuration knows:
   * voters have checked it, so it is heard and answered. Nobody else that is not named is.
   */
  #meet(bytes: Uint8Array, { from, address }: { readonly from: PeerId; readonly address: string }): Message {
    const decoded = decodeMessage(bytes);
    const message = decoded.ok && isOfLeader(decoded.value) ? decoded.value : undefined;
    const { self } = this.#options;
    if (message?.from !== from || message.to !== self) throw this.#notForUs({ from, to: self });
    if (address === "" || this.#met.get(from) === address) return message;
    this.#options.logger.info("raft.leader_met", { from, address, term: message.term });
    this.#met.delete(from);
    const [oldest] = this.#met.keys();
    if (oldest !== undefined && this.#met.size >= metMax) this.#met.delete(oldest);
    this.#met.set(from, address);
    this.setPeers(this.#named);
    return message;
  }

  #decode(bytes: Uint8Array, from: PeerId): Message {
    const decoded = decodeMessage(bytes);
    const isRight = decoded.ok && decoded.value.from === from && decoded.value.to === this.#options.self;
    if (isRight) return decoded.value;
    const fault = decoded.ok ? "it names another sender or receiver" : decoded.error;
    this.#options.logger.warn("raft.message_refused", { from, fault });
    throw new HoldfastError(
      "invalidArgument",
      `a message of master ${from} cannot be taken: ${fault}; the stream ends here`,
    );
  }
}

function helloOf(frame: ExchangeRequest, incarnation: string): PeerHello {
  return {
    incarnation,
    life: hexOf(frame.life),
    durableTerm: Number(frame.durableTerm) as Term,
    durableVote: frame.durableVote as PeerId,
    durableIndex: Number(frame.durableIndex) as LogIndex,
    isUndecided: frame.isUndecided,
    round: frame.round,
  };
}
