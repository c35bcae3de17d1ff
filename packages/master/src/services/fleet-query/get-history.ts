import type { GetHistoryRequest, GetHistoryResponse } from "@holdfast/proto/fleet/v1/fleet";
import { notBuiltYet, type FleetRead } from "./fleet-read.ts";

/** The last minutes. */
export async function getHistory(_request: GetHistoryRequest, _read: FleetRead): Promise<GetHistoryResponse> {
  throw notBuiltYet("The history");
}
