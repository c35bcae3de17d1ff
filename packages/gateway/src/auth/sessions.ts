import { create } from "@bufbuild/protobuf";
import { equalBytes, HoldfastError, isHoldfastError, must, toHex } from "@holdfast/base";
import {
  ChangePasswordSchema,
  CreateUserSchema,
  EndSessionSchema,
  GetSessionRequestSchema,
  GetUserRequestSchema,
  ListSessionsRequestSchema,
  StartSessionSchema,
  type GetSessionResponse,
  type Session,
  type User,
} from "@holdfast/proto/master/v1/master";
import type { Clock, Random } from "@holdfast/runtime";
import { onBehalfOf } from "../drive/actor.ts";
import type { Caller, Masters, RequestScope } from "../drive/ports.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import { emailFault, normalisedEmail, passwordFault, sessionIdleMs, sessionLifetime, type SessionChannel } from "./policy.ts";
import type { SessionCache } from "./session-cache.ts";
import type { SignInThrottle } from "./sign-in-throttle.ts";
import { isTokenShaped, newToken, tokenSha256 } from "./token.ts";

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
  setUp(wish: SignInOrigin & { readonly token: string; readonly email: string; readonly password: string }, scope: RequestScope): Promise<StartedSession>;
  /** Newest first. */
  list(caller: Caller, scope: RequestScope): Promise<readonly OwnSession[]>;
  /** Errors: notFound. */
  revoke(caller: Caller, sessionId: string, scope: RequestScope): Promise<void>;
  /** Ends all other sessions of the caller. Errors: unauthenticated (the old one is wrong), invalidArgument, tooBusy. */
  changePassword(caller: Caller, change: { readonly oldPassword: string; readonly newPassword: string }, scope: RequestScope): Promise<void>;
}

/** What `createSessions` is made of. */
export interface SessionsParts {
  readonly masters: Masters;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
  readonly cache: SessionCache;
  readonly clock: Clock;
  readonly random: Random;
}

const sessionIdBytes = 8;
const clientCharactersMax = 200;

/** The use-cases of signing in and out. */
export function createSessions(parts: SessionsParts): Sessions {
  const { masters, cache } = parts;
  const list = async (caller: Caller, scope: RequestScope): Promise<readonly OwnSession[]> => {
    const answer = await masters.queries.listSessions(create(ListSessionsRequestSchema, { userId: caller.userId }), scope);
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
      if (found === undefined) throw new HoldfastError("notFound", "There is no such session. It may have ended already.");
      await end(caller, found.session.tokenSha256, scope);
    },

    async changePassword(caller, change, scope) {
      requirePassword(change.newPassword);
      const attempt = { email: caller.email, ip: `user:${caller.userId}` };
      await requireOldPassword(parts, { caller, attempt, oldPassword: change.oldPassword }, scope);
      const passwordHash = await parts.hasher.hash(change.newPassword);
      const value = create(ChangePasswordSchema, { userId: caller.userId, passwordHash, keepTokenSha256: caller.tokenSha256 });
      await masters.execute({ case: "changePassword", value }, onBehalfOf(caller, scope));
      // The other sessions' ends come over the change feed; until then this gateway asks again.
      cache.clear();
    },
  };
}

async function signIn(parts: SessionsParts, attempt: SignInAttempt, scope: RequestScope): Promise<StartedSession> {
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
  return startSession(parts, { user, channel: attempt.channel, keepSignedIn: attempt.keepSignedIn, client: attempt.client }, scope);
}

async function setUp(
  parts: SessionsParts,
  wish: SignInOrigin & { readonly token: string; readonly email: string; readonly password: string },
  scope: RequestScope,
): Promise<StartedSession> {
  requireEmail(wish.email);
  requirePassword(wish.password);
  const counted = { email: "", ip: wish.ip };
  parts.throttle.admit(counted);
  if (!isTokenShaped(wish.token)) throw new HoldfastError("denied", "This set-up link is not valid. Use the newest one that the cluster printed.");
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
  const user = must(await findUser(parts.masters, { userId, atLeastIndex: done.index }, scope), "the account that was just made is there");
  return startSession(parts, { user, channel: "browser", keepSignedIn: false, client: wish.client }, scope);
}

async function startSession(
  parts: SessionsParts,
  start: { readonly user: User; readonly channel: SessionChannel; readonly keepSignedIn: boolean; readonly client: string },
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
  await parts.masters.execute({ case: "startSession", value }, { signal: scope.signal, requestId, actor: `user:${user.userId}` });
  const expiresAtMs = parts.clock.wallMs() + lifetime.absoluteMs;
  return { caller: callerOf(user, { hash, expiresAtMs, idleMs: lifetime.idleMs }), token };
}

async function authenticate(parts: SessionsParts, token: string | undefined, scope: RequestScope): Promise<Caller> {
  if (token === undefined) throw new HoldfastError("unauthenticated", "Nobody is signed in. Sign in first.");
  if (!isTokenShaped(token)) throw sessionEnded();
  const hash = tokenSha256(token);
  const cached = parts.cache.get(hash);
  if (cached !== undefined) return cached;
  if (parts.cache.isGone(hash)) throw sessionEnded();
  const askedAtMs = parts.clock.monotonicMs();
  try {
    const answer = await parts.masters.queries.getSession(create(GetSessionRequestSchema, { tokenSha256: hash }), scope);
    const caller = callerOfSession(answer, hash);
    if (caller === undefined || caller.expiresAtMs <= parts.clock.wallMs()) throw sessionEnded();
    parts.cache.put(caller, askedAtMs);
    return caller;
  } catch (thrown) {
    if (isHoldfastError(thrown, "notFound")) throw sessionEnded();
    const known = isHoldfastError(thrown, "unavailable", "deadline") ? parts.cache.get(hash, { isOutage: true }) : undefined;
    if (known === undefined) throw thrown;
    return known;
  }
}

function callerOfSession(answer: GetSessionResponse, hash: Uint8Array): Caller | undefined {
  const { session, user } = answer;
  if (session === undefined || user === undefined || user.isDisabled) return undefined;
  const absoluteMs = Number(session.expiresAtMs - session.startedAtMs);
  const idleMs = sessionIdleMs({ isAdmin: user.isAdmin, channel: session.channel, absoluteMs });
  return callerOf(user, { hash, idleMs, expiresAtMs: Number(session.expiresAtMs) });
}

function callerOf(user: User, session: { readonly hash: Uint8Array; readonly expiresAtMs: number; readonly idleMs: number }): Caller {
  const { userId, email, isAdmin, rootEntryId } = user;
  return { userId, email, isAdmin, rootEntryId, tokenSha256: session.hash, expiresAtMs: session.expiresAtMs, idleMs: session.idleMs };
}

async function requireOldPassword(
  parts: SessionsParts,
  old: { readonly caller: Caller; readonly attempt: { readonly email: string; readonly ip: string }; readonly oldPassword: string },
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

/** An attempt that failed because of us does not count as a guess. */
async function refundingOutage<T>(parts: SessionsParts, attempt: { readonly ip: string }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    parts.throttle.refund(attempt);
    throw thrown;
  }
}

async function findUser(
  masters: Masters,
  which: { readonly email?: string; readonly userId?: bigint; readonly atLeastIndex?: bigint },
  scope: RequestScope,
): Promise<User | undefined> {
  try {
    return (await masters.queries.getUser(create(GetUserRequestSchema, which), scope)).user;
  } catch (thrown) {
    if (isHoldfastError(thrown, "notFound")) return undefined;
    throw thrown;
  }
}

/** Errors: invalidArgument. */
export function requirePassword(password: string): void {
  const fault = passwordFault(password);
  if (fault !== undefined) throw new HoldfastError("invalidArgument", `${fault} Nothing was changed.`);
}

/** Errors: invalidArgument. */
export function requireEmail(email: string): void {
  const fault = emailFault(email);
  if (fault !== undefined) throw new HoldfastError("invalidArgument", `${fault} Nothing was changed.`);
}

function sessionEnded(): HoldfastError {
  return new HoldfastError("unauthenticated", "Your session has ended. Sign in again.");
}
