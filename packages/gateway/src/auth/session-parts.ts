import type { Clock, Random } from "@holdfast/runtime";
import type { User } from "@holdfast/proto/master/v1/master";
import type { Caller, Masters } from "../drive/ports.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import type { SessionCache } from "./session-cache.ts";
import type { SignInThrottle } from "./sign-in-throttle.ts";

/** What everything about sessions is made of. */
export interface SessionsParts {
  readonly masters: Masters;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
  readonly cache: SessionCache;
  readonly clock: Clock;
  readonly random: Random;
}

/** An account with one of its sessions, as the caller of everything else. */
export function callerOf(
  user: User,
  session: { readonly hash: Uint8Array; readonly expiresAtMs: number; readonly idleMs: number },
): Caller {
  const { userId, email, isAdmin, rootEntryId } = user;
  return {
    userId,
    email,
    isAdmin,
    rootEntryId,
    tokenSha256: session.hash,
    expiresAtMs: session.expiresAtMs,
    idleMs: session.idleMs,
  };
}
