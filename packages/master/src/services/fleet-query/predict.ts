import type { PredictRequest, PredictResponse } from "@holdfast/proto/fleet/v1/fleet";
import { notBuiltYet, type FleetRead } from "./fleet-read.ts";

/** What would happen. Errors: `notFound` (node or zone), `invalidArgument`. */
export async function predict(_request: PredictRequest, _read: FleetRead): Promise<PredictResponse> {
  throw notBuiltYet("What would happen");
}
