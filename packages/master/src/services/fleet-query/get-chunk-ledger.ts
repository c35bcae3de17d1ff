import type { GetChunkLedgerRequest, GetChunkLedgerResponse } from "@holdfast/proto/fleet/v1/fleet";
import { notBuiltYet, type FleetRead } from "./fleet-read.ts";

/** Why copies of a chunk came and went. Errors: `notFound`, `invalidArgument`. */
export async function getChunkLedger(
  _request: GetChunkLedgerRequest,
  _read: FleetRead,
): Promise<GetChunkLedgerResponse> {
  throw notBuiltYet("The ledger of a chunk");
}
