import { create } from "@bufbuild/protobuf";
import { HeartbeatResponseSchema, type HeartbeatResponse } from "@holdfast/proto/master/v1/master";
import type { KeyValueStore } from "@holdfast/runtime";
import { trimTable } from "../../domain/chunks/tables.ts";
import { tableRange } from "../../projections/table-range.ts";

/** Orders sent in one round; the rest follows when these were carried out or with the next round. */
const ordersPerRoundMax = 1000;

/** What the sender works with. */
export interface TrimSenderOptions {
  readonly nodeId: number;
  /**
   * The present term, which the orders carry: a committed order outlives the term in which it was made, and whoever
   * leads now has applied it and vouches for it; the node refuses older leaders.
   */
  readonly term: number;
  readonly store: KeyValueStore;
  /** False when the stream takes no more for now. */
  readonly send: (order: HeartbeatResponse) => boolean;
}

/** Sends a node the trim orders that were committed for it and not carried out yet, again and again until they are. */
export class TrimSender {
  readonly #options: TrimSenderOptions;
  #isSending = false;
  /** Orders that were committed since the stream began. */
  #orderCount = 0;
  /** `#orderCount` when a round found nothing left to send; looking again is of no use before there are more. */
  #settledAt = -1;

  constructor(options: TrimSenderOptions) {
    this.#options = options;
  }

  /** One round over the committed orders. Overlapping calls are one. */
  async sendAll(): Promise<void> {
    if (this.#isSending || this.#settledAt === this.#orderCount) return;
    this.#isSending = true;
    const orderCount = this.#orderCount;
    let isEmpty = true;
    try {
      const { store, nodeId } = this.#options;
      for await (const [[, chunkId], row] of tableRange(store, trimTable, {
        prefix: [nodeId],
        limit: ordersPerRoundMax,
      })) {
        isEmpty = false;
        if (!this.#send(chunkId, row.generation)) return;
      }
      if (isEmpty) this.#settledAt = orderCount;
    } finally {
      this.#isSending = false;
    }
  }

  /** One order that was just committed; it is sent again in every round until it is carried out. */
  send(chunkId: number, generation: number): void {
    this.#orderCount += 1;
    this.#send(chunkId, generation);
  }

  #send(chunkId: number, generation: number): boolean {
    const { nodeId, term, send } = this.#options;
    const value = { chunkId: BigInt(chunkId), generation, nodeId, term: BigInt(term) };
    return send(create(HeartbeatResponseSchema, { order: { case: "trim", value } }));
  }
}
