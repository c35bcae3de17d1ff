import { must } from "@holdfast/base";
import type { EventOf } from "../events.ts";
import type { EvolveContext } from "../evolve-context.ts";
import { newRecord } from "../namespace/evolve.ts";
import { entryKind, entryTable } from "../namespace/state.ts";
import { orderedInsert, orderedRemove } from "../ordered-index.ts";
import { noteId } from "../state.ts";
import type { Tables } from "../tables.ts";
import { newestFirstKey, oldestFirstKey } from "../time-key.ts";
import {
  sessionExpirySet,
  sessionsSet,
  sessionTable,
  setupTable,
  userByEmailTable,
  userKey,
  usersSet,
  usersTable,
  type SessionRecord,
  type UserRecord,
} from "./state.ts";

/** An account with its root folder; the set-up link is void from now on. */
export function evolveUserCreated(tables: Tables, event: EventOf<"userCreated">, context: EvolveContext): void {
  const { kind: _kind, userId, ...facts } = event;
  noteId(tables, "user", userId);
  noteId(tables, "entry", event.rootEntryId);
  tables.set(usersTable, [userId], { ...facts, isDisabled: false, createdAtMs: context.atMs });
  tables.set(userByEmailTable, [event.email], { userId });
  orderedInsert(tables, usersSet, userKey(event.email, userId));
  const root = newRecord({ parentId: 0, name: "", kind: entryKind.folder, ownerId: userId }, context);
  tables.set(entryTable, [event.rootEntryId], root);
  tables.delete(setupTable, []);
}

/** Password and flags anew. */
export function evolveUserReplaced(tables: Tables, event: EventOf<"userReplaced">): void {
  const { passwordHash, isAdmin, phone, channels } = event;
  changeUser(tables, event.userId, { passwordHash, isAdmin, phone, channels, isDisabled: false });
}

/** Another password. */
export function evolveUserPasswordChanged(tables: Tables, event: EventOf<"userPasswordChanged">): void {
  changeUser(tables, event.userId, { passwordHash: event.passwordHash });
}

/** No more signing in. */
export function evolveUserDisabled(tables: Tables, event: EventOf<"userDisabled">): void {
  changeUser(tables, event.userId, { isDisabled: true });
}

function changeUser(tables: Tables, userId: number, change: Partial<UserRecord>): void {
  const user = must(tables.get(usersTable, [userId]), "an event changes an account that is there");
  tables.set(usersTable, [userId], { ...user, ...change });
}

/** The link that makes the first account. */
export function evolveSetupTokenIssued(tables: Tables, event: EventOf<"setupTokenIssued">): void {
  tables.set(setupTable, [], { tokenSha256: event.tokenSha256, expiresAtMs: event.expiresAtMs });
}

/** A session. */
export function evolveSessionStarted(tables: Tables, event: EventOf<"sessionStarted">, context: EvolveContext): void {
  const { tokenSha256, userId, channel, expiresAtMs, client } = event;
  const session: SessionRecord = { userId, channel, startedAtMs: context.atMs, expiresAtMs, client };
  tables.set(sessionTable, [tokenSha256], session);
  orderedInsert(tables, sessionsSet(userId), newestFirstKey(context.atMs, tokenSha256));
  orderedInsert(tables, sessionExpirySet, oldestFirstKey(expiresAtMs, tokenSha256));
}

/** The end of a session; of one that is not there, nothing. */
export function evolveSessionEnded(tables: Tables, event: EventOf<"sessionEnded">): void {
  const session = tables.get(sessionTable, [event.tokenSha256]);
  if (session === undefined) return;
  tables.delete(sessionTable, [event.tokenSha256]);
  orderedRemove(tables, sessionsSet(session.userId), newestFirstKey(session.startedAtMs, event.tokenSha256));
  orderedRemove(tables, sessionExpirySet, oldestFirstKey(session.expiresAtMs, event.tokenSha256));
}
