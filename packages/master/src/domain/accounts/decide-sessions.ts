import { ok, refused } from "@holdfast/base";
import type { EndSession, StartSession } from "../commands.ts";
import type { DecideContext, DecideResult, Decision } from "../decision.ts";
import type { DomainEvent, SessionEnded } from "../events.ts";
import { invalid, notFound } from "../namespace/lookup.ts";
import { orderedCount, orderedPage } from "../ordered-index.ts";
import type { TableReader } from "../tables.ts";
import { restOfTimeKey } from "../time-key.ts";
import { cutText, tokenFault } from "./checks.ts";
import { sessionExpirySet, sessionsSet, sessionTable, usersTable } from "./state.ts";

/** Sessions that one account may have; one more ends the oldest. */
export const sessionsOfUserMax = 1000;
const sessionLifetimeMsMax = 400 * 24 * 3_600_000;
const clientBytesMax = 200;

/** Somebody signed in; the gateway has checked the password. */
export function decideStartSession(tables: TableReader, command: StartSession, context: DecideContext): DecideResult {
  const { tokenSha256, userId, channel, lifetimeMs } = command;
  const fault = tokenFault(tokenSha256);
  if (fault !== undefined) return invalid(`The session can't be started: ${fault}`);
  if (channel !== "browser" && channel !== "cli") return invalid('A session\'s channel is "browser" or "cli"');
  if (lifetimeMs < 1 || lifetimeMs > sessionLifetimeMsMax) return invalid("The life of a session is 1 ms to 400 days");
  const user = tables.get(usersTable, [userId]);
  if (user === undefined) return notFound("The account");
  if (user.isDisabled) return refused({ kind: "denied", message: "This account is disabled. Ask an administrator." });
  if (tables.get(sessionTable, [tokenSha256]) !== undefined) {
    return refused({
      kind: "precondition",
      message: "This session token is in use. Nothing was changed; make a new token.",
    });
  }
  const events: DomainEvent[] = oldestBeyond(tables, userId);
  const client = cutText(command.client, clientBytesMax);
  const expiresAtMs = context.atMs + lifetimeMs;
  events.push({ kind: "sessionStarted", tokenSha256, userId, channel, expiresAtMs, client });
  return ok({ events, outcome: { userId } });
}

function oldestBeyond(tables: TableReader, userId: number): DomainEvent[] {
  const count = orderedCount(tables, sessionsSet(userId));
  if (count < sessionsOfUserMax) return [];
  return orderedPage(tables, sessionsSet(userId), { offset: sessionsOfUserMax - 1, limit: sessionsOfUserMax }).map(
    endedOf,
  );
}

/** Signed out or revoked. */
export function decideEndSession(tables: TableReader, command: EndSession): DecideResult {
  const { tokenSha256, userId } = command;
  const fault = tokenFault(tokenSha256);
  if (fault !== undefined) return invalid(`The session can't be ended: ${fault}`);
  const session = tables.get(sessionTable, [tokenSha256]);
  if (userId !== 0 && session?.userId !== userId) return notFound("The session");
  if (session === undefined) return ok({ events: [], outcome: {} });
  return ok({ events: [{ kind: "sessionEnded", tokenSha256 }], outcome: { userId: session.userId } });
}

/** The end of every session of an account. */
export function endSessions(tables: TableReader, userId: number): readonly SessionEnded[] {
  return orderedPage(tables, sessionsSet(userId), { offset: 0, limit: sessionsOfUserMax }).map(endedOf);
}

/** The end of sessions whose time is over, at most so many. For a controller. */
export function decideExpireSessions(
  tables: TableReader,
  options: { readonly atMs: number; readonly eventsMax: number },
): Decision {
  const events: DomainEvent[] = [];
  for (const key of orderedPage(tables, sessionExpirySet, { offset: 0, limit: options.eventsMax })) {
    const ended = endedOf(key);
    const session = tables.get(sessionTable, [ended.tokenSha256]);
    if (session === undefined || session.expiresAtMs > options.atMs) break;
    events.push(ended);
  }
  return { events, outcome: {} };
}

function endedOf(key: Uint8Array): SessionEnded {
  return { kind: "sessionEnded", tokenSha256: restOfTimeKey(key) };
}
