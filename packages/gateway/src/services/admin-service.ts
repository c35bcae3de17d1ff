import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  CreateUserResponseSchema,
  GetStatusResponseSchema,
  ListEventsResponseSchema,
  ListUsersResponseSchema,
  WatchStatusResponseSchema,
  type AdminService,
} from "@holdfast/proto/drive/v1/drive";
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
  };
}
