import type { GetWeakestResponse } from "@holdfast/proto/fleet/v1/fleet";
import { notBuiltYet, type FleetRead } from "./fleet-read.ts";

/** Where the cluster would lose most. */
export async function getWeakest(_read: FleetRead): Promise<GetWeakestResponse> {
  throw notBuiltYet("The weakest point");
}
