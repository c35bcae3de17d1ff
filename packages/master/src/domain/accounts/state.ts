import { encodeUtf8 } from "../codec/utf8.ts";
import { blobPart, idPart, textPart } from "../codec/key-codec.ts";
import { blob, flag, listOf, record, text, uint } from "../codec/value-codec.ts";
import { orderedFamily, type OrderedSet } from "../ordered-index.ts";
import { defineTable } from "../tables.ts";

/** An account. */
export interface UserRecord {
  readonly email: string;
  /** PHC string; never leaves the masters but to a gateway that checks a password. */
  readonly passwordHash: string;
  readonly isAdmin: boolean;
  readonly rootEntryId: number;
  readonly phone: string;
  readonly channels: readonly string[];
  readonly isDisabled: boolean;
  readonly createdAtMs: number;
}

/** Accounts; key: user id. */
export const usersTable = defineTable({
  name: "user",
  tag: 0x0a,
  keyParts: [idPart],
  value: record<UserRecord>({
    email: text,
    passwordHash: text,
    isAdmin: flag,
    rootEntryId: uint,
    phone: text,
    channels: listOf(text),
    isDisabled: flag,
    createdAtMs: uint,
  }),
});

/** Key: e-mail, lower case. */
export const userByEmailTable = defineTable({
  name: "userByEmail",
  tag: 0x0b,
  keyParts: [textPart],
  value: record<{ readonly userId: number }>({ userId: uint }),
});

/** Somebody who is signed in. */
export interface SessionRecord {
  readonly userId: number;
  readonly channel: string;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  readonly client: string;
}

/** Key: SHA-256 of the token. */
export const sessionTable = defineTable({
  name: "session",
  tag: 0x0c,
  keyParts: [blobPart(32)],
  value: record<SessionRecord>({ userId: uint, channel: text, startedAtMs: uint, expiresAtMs: uint, client: text }),
});

/** The set-up link that is out; one row, gone with the first account. */
export const setupTable = defineTable({
  name: "setup",
  tag: 0x0d,
  keyParts: [],
  value: record<{ readonly tokenSha256: Uint8Array; readonly expiresAtMs: number }>({
    tokenSha256: blob,
    expiresAtMs: uint,
  }),
});

/** All accounts by e-mail; keys: e-mail, NUL, id. */
export const usersSet: OrderedSet = { family: orderedFamily.users, group: 0 };

/** An account's sessions, newest first; keys: time, token hash. */
export function sessionsSet(userId: number): OrderedSet {
  return { family: orderedFamily.sessionsOfUser, group: userId };
}

/** All sessions by their end; keys: time, token hash. */
export const sessionExpirySet: OrderedSet = { family: orderedFamily.sessionExpiry, group: 0 };

/** An account's key in `usersSet`. */
export function userKey(email: string, userId: number): Uint8Array {
  const name = encodeUtf8(email);
  const key = new Uint8Array(name.length + 9);
  key.set(name);
  let rest = userId;
  for (let at = key.length - 1; rest > 0; at--) {
    key[at] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return key;
}
