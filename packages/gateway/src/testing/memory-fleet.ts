import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  GetChunkLedgerResponseSchema,
  GetFleetResponseSchema,
  GetHistoryResponseSchema,
  GetWeakestResponseSchema,
  PredictResponseSchema,
  type FleetCommand,
  type FleetOutcomeSchema,
  type FleetQueryService,
} from "@holdfast/proto/fleet/v1/fleet";
import type { ServiceClient } from "@holdfast/rpc";

/** What the masters' fleet does in memory: orders are kept, questions get the same small answers. */
export class MemoryFleet {
  /** Carried out, in order. */
  readonly orders: FleetCommand[] = [];

  /** Errors: notFound for node 404. */
  apply(order: FleetCommand): MessageInitShape<typeof FleetOutcomeSchema> {
    const { command } = order;
    if (command.case === "drainNode" && command.value.nodeId === 404)
      throw new HoldfastError("notFound", "There is no node 404. Nothing was changed.");
    this.orders.push(order);
    if (command.case === "issueJoinToken") return { joinTokenId: this.orders.length };
    return command.case === "startDrill" ? { drillId: BigInt(this.orders.length) } : {};
  }

  readonly queries: ServiceClient<typeof FleetQueryService> = {
    getFleet: async () => create(GetFleetResponseSchema, { preset: "demo", index: 7n }),
    predict: async () => create(PredictResponseSchema, { summary: "Nothing would be lost.", isRepairable: true }),
    getWeakest: async () => create(GetWeakestResponseSchema, { index: 7n }),
    getHistory: async () => create(GetHistoryResponseSchema, { intervalMs: 1000 }),
    getChunkLedger: async ({ chunkId }) => {
      if (chunkId === 404n) throw new HoldfastError("notFound", "No chunk 404 was ever stored.");
      return create(GetChunkLedgerResponseSchema, { placedNodeIds: [1, 2, 3] });
    },
  };
}
