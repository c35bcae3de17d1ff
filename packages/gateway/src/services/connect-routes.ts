import type { ConnectRouter } from "@connectrpc/connect";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import type { Gateway } from "../build-gateway.ts";
import { createAdminService } from "./admin-service.ts";
import { createDriveService } from "./drive-service.ts";
import { createFleetQueryService } from "./fleet-query-service.ts";
import { createSessionService } from "./session-service.ts";

/** The Connect services of a gateway. */
export function connectRoutes(gateway: Gateway): (router: ConnectRouter) => void {
  return (router) => {
    router.service(SessionService, createSessionService(gateway));
    router.service(DriveService, createDriveService(gateway));
    router.service(AdminService, createAdminService(gateway));
    router.service(FleetQueryService, createFleetQueryService(gateway));
  };
}

/** Paths of all methods, for naming requests in logs and metrics. */
export const connectPaths: ReadonlySet<string> = new Set(
  [SessionService, DriveService, AdminService, FleetQueryService].flatMap((service) =>
    service.methods.map((method) => `/${service.typeName}/${method.name}`),
  ),
);
