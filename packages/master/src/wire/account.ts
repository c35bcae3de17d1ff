import { create } from "@bufbuild/protobuf";
import { SessionSchema, UserSchema, type Session, type User } from "@holdfast/proto/master/v1/master";
import type { SessionRecord, UserRecord } from "../domain/accounts/state.ts";

/** The wire form of an account; its password hash only where a password is checked. */
export function userToWire(userId: number, user: UserRecord, options: { readonly withHash: boolean }): User {
  return create(UserSchema, {
    userId: BigInt(userId),
    email: user.email,
    passwordHash: options.withHash ? user.passwordHash : "",
    isAdmin: user.isAdmin,
    rootEntryId: BigInt(user.rootEntryId),
    phone: user.phone,
    channels: [...user.channels],
    isDisabled: user.isDisabled,
    createdAtMs: BigInt(user.createdAtMs),
  });
}

/** The wire form of a session. */
export function sessionToWire(tokenSha256: Uint8Array, session: SessionRecord): Session {
  return create(SessionSchema, {
    tokenSha256,
    userId: BigInt(session.userId),
    channel: session.channel,
    startedAtMs: BigInt(session.startedAtMs),
    expiresAtMs: BigInt(session.expiresAtMs),
    client: session.client,
  });
}
