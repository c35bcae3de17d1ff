import { create } from "@bufbuild/protobuf";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import { GetSessionRequestSchema, type GetSessionResponse } from "@holdfast/proto/master/v1/master";
import type { Caller, RequestScope } from "../drive/ports.ts";
import { sessionIdleMs } from "./policy.ts";
import { callerOf, type SessionsParts } from "./session-parts.ts";
import { isTokenShaped, tokenSha256 } from "./token.ts";

/** See `Sessions.authenticate`. */
export async function authenticate(
  parts: SessionsParts,
  token: string | undefined,
  scope: RequestScope,
): Promise<Caller> {
  if (token === undefined) throw new HoldfastError("unauthenticated", "Nobody is signed in. Sign in first.");
  if (!isTokenShaped(token)) throw sessionEnded();
  const hash = tokenSha256(token);
  const cached = parts.cache.get(hash);
  if (cached !== undefined) return cached;
  if (parts.cache.isGone(hash)) throw sessionEnded();
  const askedAtMs = parts.clock.monotonicMs();
  try {
    const answer = await parts.masters.queries.getSession(
      create(GetSessionRequestSchema, { tokenSha256: hash }),
      scope,
    );
    const caller = callerOfSession(answer, hash);
    if (caller === undefined || caller.expiresAtMs <= parts.clock.wallMs()) throw sessionEnded();
    parts.cache.put(caller, askedAtMs);
    return caller;
  } catch (thrown) {
    if (isHoldfastError(thrown, "notFound")) throw sessionEnded();
    const known = isHoldfastError(thrown, "unavailable", "deadline")
      ? parts.cache.get(hash, { isOutage: true })
      : undefined;
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

function sessionEnded(): HoldfastError {
  return new HoldfastError("unauthenticated", "Your session has ended. Sign in again.");
}
