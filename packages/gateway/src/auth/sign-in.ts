import { create } from "@bufbuild/protobuf";
import { HoldfastError, must, toHex } from "@holdfast/base";
import { CreateUserSchema, StartSessionSchema, type User } from "@holdfast/proto/master/v1/master";
import type { Caller, RequestScope } from "../drive/ports.ts";
import { findUser, refundingOutage } from "./account-lookup.ts";
import { requireEmail, requirePassword } from "./credentials.ts";
import { normalisedEmail, sessionLifetime, type SessionChannel } from "./policy.ts";
import { callerOf, type SessionsParts } from "./session-parts.ts";
import { isTokenShaped, newToken, tokenSha256 } from "./token.ts";

const clientCharactersMax = 200;

/** From where somebody signs in. */
export interface SignInOrigin {
  /** Address of the caller, for counting attempts. */
  readonly ip: string;
  /** User agent, shown in the list of sessions. */
  readonly client: string;
}

/** A wish to sign in. */
export interface SignInAttempt extends SignInOrigin {
  readonly email: string;
  readonly password: string;
  readonly channel: SessionChannel;
  readonly keepSignedIn: boolean;
}

/** A session that has just begun. Only its receiver ever sees the token. */
export interface StartedSession {
  readonly caller: Caller;
  readonly token: string;
}

/** See `Sessions.signIn`. */
export async function signIn(
  parts: SessionsParts,
  attempt: SignInAttempt,
  scope: RequestScope,
): Promise<StartedSession> {
  const counted = { email: normalisedEmail(attempt.email), ip: attempt.ip };
  parts.throttle.admit(counted);
  const user = await refundingOutage(parts, counted, async () => {
    const found = await findUser(parts.masters, { email: counted.email }, scope);
    const isRight = await parts.hasher.verify(attempt.password, found?.passwordHash ?? parts.hasher.dummyHash);
    return isRight && found !== undefined && !found.isDisabled ? found : undefined;
  });
  if (user === undefined) {
    parts.throttle.failed(counted);
    throw new HoldfastError("unauthenticated", "The e-mail address or the password is wrong. Try again.");
  }
  parts.throttle.succeeded(counted);
  return startSession(
    parts,
    { user, channel: attempt.channel, keepSignedIn: attempt.keepSignedIn, client: attempt.client },
    scope,
  );
}

/** See `Sessions.setUp`. */
export async function setUp(
  parts: SessionsParts,
  wish: SignInOrigin & { readonly token: string; readonly email: string; readonly password: string },
  scope: RequestScope,
): Promise<StartedSession> {
  requireEmail(wish.email);
  requirePassword(wish.password);
  const counted = { email: "", ip: wish.ip };
  parts.throttle.admit(counted);
  if (!isTokenShaped(wish.token))
    throw new HoldfastError("denied", "This set-up link is not valid. Use the newest one that the cluster printed.");
  const passwordHash = await parts.hasher.hash(wish.password);
  const value = create(CreateUserSchema, {
    email: normalisedEmail(wish.email),
    passwordHash,
    isAdmin: true,
    setupTokenSha256: tokenSha256(wish.token),
  });
  const done = await parts.masters.execute({ case: "createUser", value }, { ...scope, actor: "setup" });
  parts.throttle.refund(counted);
  const userId = must(done.outcome, "a created account has an outcome").userId;
  const user = must(
    await findUser(parts.masters, { userId, atLeastIndex: done.index }, scope),
    "the account that was just made is there",
  );
  return startSession(parts, { user, channel: "browser", keepSignedIn: false, client: wish.client }, scope);
}

async function startSession(
  parts: SessionsParts,
  start: {
    readonly user: User;
    readonly channel: SessionChannel;
    readonly keepSignedIn: boolean;
    readonly client: string;
  },
  scope: RequestScope,
): Promise<StartedSession> {
  const { user, channel } = start;
  const token = newToken(parts.random);
  const hash = tokenSha256(token);
  const lifetime = sessionLifetime({ isAdmin: user.isAdmin, channel, keepSignedIn: start.keepSignedIn });
  const value = create(StartSessionSchema, {
    tokenSha256: hash,
    userId: user.userId,
    channel,
    lifetimeMs: BigInt(lifetime.absoluteMs),
    client: start.client.slice(0, clientCharactersMax),
  });
  // A request id of its own: a set-up has used the scope's for the account.
  const requestId = toHex(parts.random.bytes(16));
  await parts.masters.execute(
    { case: "startSession", value },
    { signal: scope.signal, requestId, actor: `user:${user.userId}` },
  );
  const expiresAtMs = parts.clock.wallMs() + lifetime.absoluteMs;
  return { caller: callerOf(user, { hash, expiresAtMs, idleMs: lifetime.idleMs }), token };
}
