import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import { serve, type CallContext, type ServedService } from "@holdfast/rpc";
import { readProgress } from "../application/fold-entry.ts";
import type { ReadGate } from "../application/read-gate.ts";
import { readerOf } from "../domain/tables.ts";
import type { FleetQueryOptions, FleetRead } from "./fleet-query/fleet-read.ts";
import { getChunkLedger } from "./fleet-query/get-chunk-ledger.ts";
import { getFleet, type FleetProgress } from "./fleet-query/get-fleet.ts";
import { getHistory } from "./fleet-query/get-history.ts";
import { getWeakest } from "./fleet-query/get-weakest.ts";
import { predict } from "./fleet-query/predict.ts";
import { notLeader, type Leadership } from "./fleet/leadership.ts";

/** What the service works with. */
export interface FleetQueryServiceOptions extends FleetQueryOptions {
  readonly gate: ReadGate;
  readonly leadership: Leadership;
  readonly progress: FleetProgress;
}

/** Questions about the fleet, at the leader: only it knows what is observed. One file an answer. */
export function createFleetQueryService(options: FleetQueryServiceOptions): ServedService {
  const { gate, leadership, progress, ...fleet } = options;
  const tables = readerOf(options.store);
  const read = async ({ signal }: CallContext): Promise<FleetRead> => {
    if (!leadership.isReady()) throw notLeader(leadership);
    await gate.pass({ atLeastIndex: 0, signal });
    const { appliedIndex: index, atMs } = readProgress(tables);
    const nowMs = Math.max(Math.floor(options.clock.wallMs()), atMs);
    return { ...fleet, tables, index, nowMs, term: leadership.term(), signal };
  };
  return serve(FleetQueryService, {
    getFleet: async (_request, context) => getFleet(await read(context), progress),
    predict: async (request, context) => predict(request, await read(context)),
    getWeakest: async (_request, context) => getWeakest(await read(context)),
    getHistory: async (request, context) => getHistory(request, await read(context)),
    getChunkLedger: async (request, context) => getChunkLedger(request, await read(context)),
  });
}
