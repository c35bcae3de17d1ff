import type { ServiceImpl } from "@connectrpc/connect";
import type { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import type { Gateway } from "../build-gateway.ts";
import { callerOf, scopeOf } from "./request-facts.ts";

/** The leader's answers about the fleet, passed on over Connect for administrators. */
export function createFleetQueryService(gateway: Gateway): ServiceImpl<typeof FleetQueryService> {
  const { fleet } = gateway;
  return {
    getFleet: async (request, context) =>
      fleet.queries(await callerOf(gateway, context)).getFleet(request, scopeOf(context)),
    predict: async (request, context) =>
      fleet.queries(await callerOf(gateway, context)).predict(request, scopeOf(context)),
    getWeakest: async (request, context) =>
      fleet.queries(await callerOf(gateway, context)).getWeakest(request, scopeOf(context)),
    getHistory: async (request, context) =>
      fleet.queries(await callerOf(gateway, context)).getHistory(request, scopeOf(context)),
    getChunkLedger: async (request, context) =>
      fleet.queries(await callerOf(gateway, context)).getChunkLedger(request, scopeOf(context)),
  };
}
