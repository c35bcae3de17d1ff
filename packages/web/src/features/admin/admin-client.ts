import { createClient } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { AdminService } from "@holdfast/proto/drive/v1/drive";
import { FleetQueryService, type FleetCommandSchema, type PredictRequestSchema } from "@holdfast/proto/fleet/v1/fleet";
import { translated, transport } from "../../lib/rpc.ts";

/** Orders and the cluster's status. */
export const admin = translated(createClient(AdminService, transport));
/** Questions about the fleet. */
export const fleetQueries = translated(createClient(FleetQueryService, transport));

/** An order to the fleet, as the generated types take it. */
export type FleetOrder = NonNullable<MessageInitShape<typeof FleetCommandSchema>["command"]>;
/** A question of what would happen. */
export type FleetQuestion = NonNullable<MessageInitShape<typeof PredictRequestSchema>["question"]>;
