import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ChangeFleetResponseSchema,
  CreateJoinTokenResponseSchema,
  CreateUserResponseSchema,
  GetStatusResponseSchema,
  ListEventsResponseSchema,
  ListLocalNodesResponseSchema,
  ListUsersResponseSchema,
  StartLocalNodeResponseSchema,
  WatchStatusResponseSchema,
  type AdminService,
} from "@holdfast/proto/drive/v1/drive";
import { FleetCommandSchema } from "@holdfast/proto/fleet/v1/fleet";
import { HoldfastError, safeInteger } from "@holdfast/base";
import type { Gateway } from "../build-gateway.ts";
import { callerOf, factsOf, scopeOf } from "./request-facts.ts";
import { whileSignedIn } from "./while-signed-in.ts";

/** Administration over Connect. */
export function createAdminService(gateway: Gateway): ServiceImpl<typeof AdminService> {
  const { admin } = gateway;
  return {
    async getStatus(_request, context) {
      const caller = await callerOf(gateway, context);
      return create(GetStatusResponseSchema, { status: await admin.getStatus(caller, scopeOf(context)) });
    },

    async *watchStatus(_request, context) {
      const caller = await callerOf(gateway, context);
      const scope = scopeOf(context);
      const requireSession = async (): Promise<void> => {
        await gateway.sessions.authenticate(factsOf(context).token, scope);
      };
      for await (const status of whileSignedIn(admin.watchStatus(caller, scope), requireSession)) {
        yield create(WatchStatusResponseSchema, { status });
      }
    },

    async listEvents({ beforeIndex, limit }, context) {
      const caller = await callerOf(gateway, context);
      const events = await admin.listEvents(caller, { beforeIndex, limit }, scopeOf(context));
      return create(ListEventsResponseSchema, { events: [...events] });
    },

    async createUser({ email, password, isAdmin, phone, channels, isForced }, context) {
      const caller = await callerOf(gateway, context);
      const userId = await admin.createUser(
        caller,
        { email, password, isAdmin, phone, channels, isForced },
        scopeOf(context),
      );
      return create(CreateUserResponseSchema, { userId });
    },

    async listUsers(_request, context) {
      const caller = await callerOf(gateway, context);
      return create(ListUsersResponseSchema, { users: [...(await admin.listUsers(caller, scopeOf(context)))] });
    },

    ...createFleetMethods(gateway),
  };
}

/** The part of the service that steers the fleet. */
function createFleetMethods(
  gateway: Gateway,
): Pick<
  ServiceImpl<typeof AdminService>,
  "changeFleet" | "createJoinToken" | "listLocalNodes" | "startLocalNode" | "stopLocalNode"
> {
  const { fleet, localNodes } = gateway;
  return {
    async changeFleet({ requestId, command = create(FleetCommandSchema) }, context) {
      const caller = await callerOf(gateway, context);
      return create(ChangeFleetResponseSchema, await fleet.change(caller, command, scopeOf(context, requestId)));
    },

    async createJoinToken({ lifetimeMs, label, replacesNodeId }, context) {
      const caller = await callerOf(gateway, context);
      const issued = await fleet.createJoinToken(
        caller,
        { lifetimeMs: safeInteger(lifetimeMs), label, replacesNodeId },
        scopeOf(context),
      );
      return create(CreateJoinTokenResponseSchema, { ...issued, expiresAtMs: BigInt(issued.expiresAtMs) });
    },

    async listLocalNodes(_request, context) {
      const nodes = await localNodes.list(await callerOf(gateway, context), scopeOf(context));
      return create(ListLocalNodesResponseSchema, { isAvailable: nodes !== undefined, nodes: [...(nodes ?? [])] });
    },

    async startLocalNode({ name, replacesNodeId }, context) {
      const caller = await callerOf(gateway, context);
      if (replacesNodeId === 0) {
        const started = await localNodes.start(caller, { name, joinSecret: "" }, scopeOf(context));
        return create(StartLocalNodeResponseSchema, { name: started });
      }
      if (name !== "")
        throw new HoldfastError("invalidArgument", "Only a new node takes another one's place. Nothing was changed.");
      const replacement = await gateway.startReplacement({ caller, replacesNodeId }, scopeOf(context));
      return create(StartLocalNodeResponseSchema, replacement);
    },

    async stopLocalNode({ name }, context) {
      await localNodes.stop(await callerOf(gateway, context), name, scopeOf(context));
      return {};
    },
  };
}
