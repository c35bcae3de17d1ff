import { create } from "@bufbuild/protobuf";
import { equalBytes, HoldfastError, toHex } from "@holdfast/base";
import {
  ChangePasswordSchema,
  EndSessionSchema,
  ListSessionsRequestSchema,
  type Session,
} from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "../drive/actor.ts";
import type { Caller, RequestScope } from "../drive/ports.ts";
import { findUser, refundingOutage } from "./account-lookup.ts";
import { authenticate } from "./authenticate.ts";
import { requirePassword } from "./credentials.ts";
import type { SessionsParts } from "./session-parts.ts";
import { setUp, signIn, type SignInAttempt, type SignInOrigin, type StartedSession } from "./sign-in.ts";

/** A session as its owner sees it. */
export interface OwnSession {
  readonly sessionId: string;
  readonly session: Session;
  readonly isCurrent: boolean;
}

/** Signing in and out. */
export interface Sessions {
  /** Errors: unauthenticated (same text and time for an unknown account), tooBusy, unavailable. */
  signIn(attempt: SignInAttempt, scope: RequestScope): Promise<StartedSession>;
  /** Who a token stands for. Errors: unauthenticated, unavailable. */
  authenticate(token: string | undefined, scope: RequestScope): Promise<Caller>;
  /** Ends the session that calls. */
  signOut(caller: Caller, scope: RequestScope): Promise<void>;
  /** Makes the first account with the one-time token and signs it in. Errors: denied, invalidArgument, tooBusy. */
  setUp(
    wish: SignInOrigin & { readonly token: string; readonly email: string; readonly password: string },
    scope: RequestScope,
  ): Promise<StartedSession>;
  /** Newest first. */
  list(caller: Caller, scope: RequestScope): Promise<readonly OwnSession[]>;
  /** Errors: notFound. */
  revoke(caller: Caller, sessionId: string, scope: RequestScope): Promise<void>;
  /** Ends all other sessions of the caller. Errors: unauthenticated (the old one is wrong), invalidArgument, tooBusy. */
  changePassword(
    caller: Caller,
    change: { readonly oldPassword: string; readonly newPassword: string },
    scope: RequestScope,
  ): Promise<void>;
}

const sessionIdBytes = 8;

/** The use-cases of signing in and out. */
export function createSessions(parts: SessionsParts): Sessions {
  const { masters, cache } = parts;
  const list = async (caller: Caller, scope: RequestScope): Promise<readonly OwnSession[]> => {
    const answer = await masters.queries.listSessions(
      create(ListSessionsRequestSchema, { userId: caller.userId }),
      scope,
    );
    return answer.sessions.map((session) => ({
      sessionId: toHex(session.tokenSha256.subarray(0, sessionIdBytes)),
      session,
      isCurrent: equalBytes(session.tokenSha256, caller.tokenSha256),
    }));
  };
  const end = async (caller: Caller, hash: Uint8Array, scope: RequestScope): Promise<void> => {
    const value = create(EndSessionSchema, { tokenSha256: hash, userId: caller.userId });
    await masters.execute({ case: "endSession", value }, onBehalfOf(caller, scope));
    cache.drop(hash);
  };

  return {
    signIn: async (attempt, scope) => signIn(parts, attempt, scope),
    authenticate: async (token, scope) => authenticate(parts, token, scope),
    signOut: async (caller, scope) => end(caller, caller.tokenSha256, scope),
    setUp: async (wish, scope) => setUp(parts, wish, scope),
    list,

    async revoke(caller, sessionId, scope) {
      const found = (await list(caller, scope)).find((own) => own.sessionId === sessionId);
      if (found === undefined)
        throw new HoldfastError("notFound", "There is no such session. It may have ended already.");
      await end(caller, found.session.tokenSha256, scope);
    },

    async changePassword(caller, change, scope) {
      requirePassword(change.newPassword);
      const attempt = { email: caller.email, ip: `user:${caller.userId}` };
      await requireOldPassword(parts, { caller, attempt, oldPassword: change.oldPassword }, scope);
      const passwordHash = await parts.hasher.hash(change.newPassword);
      const value = create(ChangePasswordSchema, {
        userId: caller.userId,
        passwordHash,
        keepTokenSha256: caller.tokenSha256,
      });
      await masters.execute({ case: "changePassword", value }, onBehalfOf(caller, scope));
      // The other sessions' ends come over the change feed; until then this gateway asks again.
      cache.clear();
    },
  };
}

async function requireOldPassword(
  parts: SessionsParts,
  old: {
    readonly caller: Caller;
    readonly attempt: { readonly email: string; readonly ip: string };
    readonly oldPassword: string;
  },
  scope: RequestScope,
): Promise<void> {
  parts.throttle.admit(old.attempt);
  const isRight = await refundingOutage(parts, old.attempt, async () => {
    const user = await findUser(parts.masters, { userId: old.caller.userId }, scope);
    return parts.hasher.verify(old.oldPassword, user?.passwordHash ?? parts.hasher.dummyHash);
  });
  if (!isRight) {
    parts.throttle.failed(old.attempt);
    throw new HoldfastError("unauthenticated", "The password in force is not that one. It was not changed. Try again.");
  }
  parts.throttle.succeeded(old.attempt);
}
