import { create } from "@bufbuild/protobuf";
import { ok } from "@holdfast/base";
import { HeartbeatResponseSchema, type HeartbeatResponse } from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideBeginMoves } from "../../domain/chunks/decide-moves.ts";
import { decidePlaceReplicas } from "../../domain/chunks/decide-placed.ts";
import { chunkTable, isHeld } from "../../domain/chunks/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { CopyNode } from "./copy-node.ts";
import type { CopyMemory } from "./memory.ts";
import type { CopyPurpose, PlannedCopy } from "./plan.ts";

/** New places of one batch: a thousand in one would keep everybody waiting while they are decided and folded. */
const placesPerBatchMax = 128;

/** What the sender works with. */
export interface OrderSenderOptions {
  readonly tables: TableReader;
  readonly submitter: Submitter;
  readonly clock: Clock;
  /** Sends an order down a node's heartbeat stream; false when there is none or it takes no more for now. */
  readonly sendOrder: (nodeId: number, order: HeartbeatResponse) => boolean;
}

/** One round of orders. */
export interface OrderRound {
  readonly copies: readonly (PlannedCopy & { readonly leavesId?: number })[];
  readonly nodes: readonly CopyNode[];
  readonly term: number;
  readonly memory: CopyMemory;
  /** Asked between batches. */
  readonly isLeading: () => boolean;
  /** Bytes a second that a node may fetch for this purpose now. */
  readonly rateOf: (targetId: number, sourceIds: readonly number[], purpose: CopyPurpose) => number;
}

/** Commits the places of new copies, then sends every order whose place is in the log. */
export class OrderSender {
  readonly #options: OrderSenderOptions;

  constructor(options: OrderSenderOptions) {
    this.#options = options;
  }

  /** Gives the number of orders sent. */
  async send(round: OrderRound): Promise<number> {
    const fresh = round.copies.filter((copy) => copy.isNewPlace);
    for (let at = 0; at < fresh.length; at += placesPerBatchMax) {
      if (at > 0 && !round.isLeading()) return 0;
      await this.#place(fresh.slice(at, at + placesPerBatchMax));
    }
    const addresses = new Map(round.nodes.map((node) => [node.nodeId, node.address]));
    let sentCount = 0;
    for (const copy of round.copies) if (this.#sendOne(copy, addresses, round)) sentCount += 1;
    return sentCount;
  }

  async #place(copies: readonly PlannedCopy[]): Promise<void> {
    const wantedFor = (purpose: CopyPurpose): readonly { readonly chunkId: number; readonly nodeId: number }[] =>
      copies.filter((copy) => copy.purpose === purpose).map(({ chunkId, targetId }) => ({ chunkId, nodeId: targetId }));
    await this.#options.submitter.submit({
      actor: "controller:repair",
      decide: (tables) => {
        const places = (["repair", "replication", "drain"] as const).flatMap((purpose) =>
          decidePlaceReplicas(tables, wantedFor(purpose), purpose),
        );
        return ok({ events: [...places, ...decideBeginMoves(tables, wantedFor("balance"))], outcome: {} });
      },
    });
  }

  #sendOne(copy: OrderRound["copies"][number], addresses: ReadonlyMap<number, string>, round: OrderRound): boolean {
    const { chunkId, targetId, sourceIds, purpose, leavesId = 0 } = copy;
    const { tables, sendOrder, clock } = this.#options;
    const row = tables.get(chunkTable, [chunkId]);
    // Between the look and now: purged, confirmed, or refused a place.
    if (row === undefined || !isHeld(row) || !row.placedNodeIds.includes(targetId)) return false;
    if (row.confirmedNodeIds.includes(targetId)) return false;
    const value = {
      chunkId: BigInt(chunkId),
      generation: row.generation,
      lengthBytes: row.lengthBytes,
      sha256: row.sha256,
      term: BigInt(round.term),
      sources: sourceIds.map((nodeId) => ({ nodeId, address: addresses.get(nodeId) ?? "" })),
      bytesPerSecondMax: BigInt(round.rateOf(targetId, sourceIds, purpose)),
      nodeId: targetId,
    };
    if (!sendOrder(targetId, create(HeartbeatResponseSchema, { order: { case: "replicate", value } }))) return false;
    const [sourceId = 0] = sourceIds;
    const { lengthBytes } = row;
    round.memory.noteSent({ chunkId, targetId, sourceId, lengthBytes, purpose, leavesId }, clock.monotonicMs());
    return true;
  }
}
