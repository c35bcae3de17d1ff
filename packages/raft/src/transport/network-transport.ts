import { create } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  ExchangeResponseSchema,
  RaftService,
  type ExchangeRequest,
  type ExchangeResponse,
} from "@holdfast/proto/raft/v1/raft";
import { serve, type Network, type ServedService } from "@holdfast/rpc";
import type { Random, Timers } from "@holdfast/runtime";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { decodeMessage } from "./codec.ts";
import type { PeerQueueLimits } from "./peer-queue.ts";
import { PeerSender } from "./peer-sender.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** What the transport of one node needs. */
export interface NetworkTransportOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly clusterId: string;
  readonly self: PeerId;
  /** The other members. */
  readonly peers: readonly { readonly id: PeerId; readonly address: string }[];
  readonly queue: PeerQueueLimits;
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  /** Every member has the log up to here, as far as this node knows. */
  readonly everyoneHas: () => LogIndex;
}

/** The transport over the cluster's network: one long-lived stream for each ordered pair of peers. */
export class NetworkTransport implements Transport {
  readonly services: readonly ServedService[];
  readonly #options: NetworkTransportOptions;
  readonly #senders = new Map<PeerId, PeerSender>();
  #listener: TransportListener | undefined;

  constructor(options: NetworkTransportOptions) {
    this.#options = options;
    this.services = [
      serve(RaftService, {
        exchange: (requests) => this.#receive(requests),
        installSnapshot: () =>
          Promise.reject(
            new HoldfastError("precondition", "this master does not take snapshots yet; nothing was changed"),
          ),
      }),
    ];
    for (const { id, address } of options.peers) {
      const onUnreachable = (): void => this.#listener?.onUnreachable(id);
      this.#senders.set(id, new PeerSender({ ...options, peer: id, address, onUnreachable }));
    }
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    for (const sender of this.#senders.values()) sender.start();
  }

  send(message: Message): void {
    must(this.#senders.get(message.to), "messages go to members only").send(message);
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    for (const sender of this.#senders.values()) await sender.stop();
  }

  async *#receive(requests: AsyncIterable<ExchangeRequest>): AsyncGenerator<ExchangeResponse> {
    this.#mustListen();
    yield create(ExchangeResponseSchema, { clusterId: this.#options.clusterId, from: this.#options.self });
    for await (const frame of requests) {
      const from = this.#checkFrame(frame);
      const listener = this.#mustListen();
      for (const bytes of frame.messages) listener.onMessage(this.#decode(bytes, from));
      listener.onEveryoneHas(Number(frame.everyoneHasIndex) as LogIndex);
    }
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
    if (frame.to !== self || !this.#senders.has(from)) {
      throw new HoldfastError(
        "wrongCluster",
        `this is master ${self}; a frame from ${frame.from} to ${frame.to} is not for it. Nothing was changed; check the list of masters`,
      );
    }
    return from;
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
