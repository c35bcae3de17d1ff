import { create } from "@bufbuild/protobuf";
import {
  GetSessionResponseSchema,
  GetUserResponseSchema,
  ListSessionsResponseSchema,
  ListUsersResponseSchema,
  type GetSessionRequest,
  type GetSessionResponse,
  type GetUserRequest,
  type GetUserResponse,
  type ListSessionsRequest,
  type ListSessionsResponse,
  type ListUsersResponse,
  type Session,
  type User,
} from "@holdfast/proto/master/v1/master";
import { normaliseEmail } from "../../domain/accounts/checks.ts";
import { sessionsOfUserMax } from "../../domain/accounts/decide-sessions.ts";
import {
  sessionsSet,
  sessionTable,
  setupTable,
  userByEmailTable,
  usersSet,
  usersTable,
} from "../../domain/accounts/state.ts";
import { orderedCount, orderedPage } from "../../domain/ordered-index.ts";
import type { TableReader } from "../../domain/tables.ts";
import { idAtEnd, restOfTimeKey } from "../../domain/time-key.ts";
import { sessionToWire, userToWire } from "../../wire/account.ts";
import { requestInteger } from "../../wire/request.ts";
import { absent } from "./entry-queries.ts";

/** Accounts that one answer lists. */
const listedUsersMax = 10_000;

/** What an account query is answered with. */
export interface AccountRead {
  readonly index: bigint;
  /** Leader time: what has expired by then is not there. */
  readonly nowMs: number;
}

/** An account with its password hash. */
export function getUser(tables: TableReader, request: GetUserRequest, read: AccountRead): GetUserResponse {
  const userId = request.email === "" ? requestInteger(request.userId, "user_id") : idOfEmail(tables, request.email);
  const user = tables.get(usersTable, [userId]);
  if (user === undefined) throw absent("The account");
  return create(GetUserResponseSchema, { user: userToWire(userId, user, { withHash: true }), index: read.index });
}

function idOfEmail(tables: TableReader, email: string): number {
  if (email.includes("\0")) throw absent("The account");
  return tables.get(userByEmailTable, [normaliseEmail(email)])?.userId ?? 0;
}

/** All accounts by e-mail. */
export function listUsers(tables: TableReader, read: AccountRead): ListUsersResponse {
  const users: User[] = [];
  for (const key of orderedPage(tables, usersSet, { offset: 0, limit: listedUsersMax })) {
    const userId = idAtEnd(key);
    const user = tables.get(usersTable, [userId]);
    if (user !== undefined) users.push(userToWire(userId, user, { withHash: false }));
  }
  const setup = tables.get(setupTable, []);
  const needsSetup = orderedCount(tables, usersSet) === 0 && setup !== undefined && setup.expiresAtMs > read.nowMs;
  return create(ListUsersResponseSchema, { users, needsSetup, index: read.index });
}

/** A session that has not expired, with its account. */
export function getSession(tables: TableReader, request: GetSessionRequest, read: AccountRead): GetSessionResponse {
  const { tokenSha256 } = request;
  const session = tokenSha256.length === 32 ? tables.get(sessionTable, [tokenSha256]) : undefined;
  const user = session === undefined ? undefined : tables.get(usersTable, [session.userId]);
  if (session === undefined || user === undefined || user.isDisabled || session.expiresAtMs <= read.nowMs) {
    throw absent("The session");
  }
  return create(GetSessionResponseSchema, {
    session: sessionToWire(tokenSha256, session),
    user: userToWire(session.userId, user, { withHash: false }),
    index: read.index,
  });
}

/** An account's sessions that have not expired, newest first. */
export function listSessions(
  tables: TableReader,
  request: ListSessionsRequest,
  read: AccountRead,
): ListSessionsResponse {
  const userId = requestInteger(request.userId, "user_id");
  const sessions: Session[] = [];
  for (const key of orderedPage(tables, sessionsSet(userId), { offset: 0, limit: sessionsOfUserMax })) {
    const tokenSha256 = restOfTimeKey(key);
    const session = tables.get(sessionTable, [tokenSha256]);
    if (session !== undefined && session.expiresAtMs > read.nowMs) sessions.push(sessionToWire(tokenSha256, session));
  }
  return create(ListSessionsResponseSchema, { sessions, index: read.index });
}
