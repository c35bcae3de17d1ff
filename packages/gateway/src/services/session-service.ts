import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  AccountSchema,
  ListSessionsResponseSchema,
  SessionInfoSchema,
  SetUpResponseSchema,
  SignInResponseSchema,
  WhoAmIResponseSchema,
  type Account,
  type SessionService,
} from "@holdfast/proto/drive/v1/drive";
import type { Gateway } from "../build-gateway.ts";
import type { Caller } from "../drive/ports.ts";
import type { StartedSession } from "../auth/sign-in.ts";
import { callerOf, factsOf, scopeOf } from "./request-facts.ts";

/** Signing in and out over Connect. */
export function createSessionService(gateway: Gateway): ServiceImpl<typeof SessionService> {
  const { sessions, config } = gateway;
  return {
    async signIn(request, context) {
      const { ip, client } = factsOf(context);
      const channel = request.channel === "cli" ? "cli" : "browser";
      const { email, password, keepSignedIn } = request;
      const started = await sessions.signIn({ email, password, keepSignedIn, channel, ip, client }, scopeOf(context));
      const account = accountOf(started.caller);
      if (channel === "cli") return create(SignInResponseSchema, { account, token: started.token });
      giveCookie(context, started);
      return create(SignInResponseSchema, { account });
    },

    async signOut(_request, context) {
      const caller = await callerOf(gateway, context);
      await sessions.signOut(caller, scopeOf(context));
      context.responseHeader.set("Set-Cookie", factsOf(context).cookieGone());
      return {};
    },

    async whoAmI(_request, context) {
      const caller = await callerOf(gateway, context);
      return create(WhoAmIResponseSchema, {
        account: accountOf(caller),
        partSizeBytes: config.partSizeBytes,
        version: config.version,
      });
    },

    async setUp(request, context) {
      const { ip, client } = factsOf(context);
      const { token, email, password } = request;
      const started = await sessions.setUp({ token, email, password, ip, client }, scopeOf(context));
      giveCookie(context, started);
      return create(SetUpResponseSchema, { account: accountOf(started.caller) });
    },

    async listSessions(_request, context) {
      const caller = await callerOf(gateway, context);
      const own = await sessions.list(caller, scopeOf(context));
      const infos = own.map(({ sessionId, session, isCurrent }) => {
        const { channel, startedAtMs, expiresAtMs, client } = session;
        return create(SessionInfoSchema, { sessionId, channel, startedAtMs, expiresAtMs, client, isCurrent });
      });
      return create(ListSessionsResponseSchema, { sessions: infos });
    },

    async revokeSession(request, context) {
      const caller = await callerOf(gateway, context);
      await sessions.revoke(caller, request.sessionId, scopeOf(context));
      return {};
    },

    async changePassword(request, context) {
      const caller = await callerOf(gateway, context);
      const { oldPassword, newPassword } = request;
      await sessions.changePassword(caller, { oldPassword, newPassword }, scopeOf(context));
      return {};
    },
  };
}

function giveCookie(context: HandlerContext, started: StartedSession): void {
  context.responseHeader.set("Set-Cookie", factsOf(context).cookieFor(started.token, started.caller.idleMs));
}

function accountOf(caller: Caller): Account {
  const { userId, email, isAdmin, rootEntryId } = caller;
  return create(AccountSchema, { userId, email, isAdmin, rootEntryId });
}
