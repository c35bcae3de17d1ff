import { ok } from "@holdfast/base";
import type { DecideContext, DecideResult, Decision } from "../decision.ts";
import { nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { findJoinToken, joinTokensOutMax, joinTokenState, joinTokenTable, outJoinTokenIds } from "./join-tokens.ts";
import { checkReplaceable, revokeTokensFor } from "./decide-replacement.ts";
import type { FleetOrderOf } from "./orders.ts";
import { flawOfText, refuse, unchanged } from "./refusals.ts";

const minuteMs = 60_000;
const lifetimeMsMin = minuteMs;
const lifetimeMsMax = 7 * 24 * 60 * minuteMs;

/**
 * Errors: `invalidArgument`, `tooBusy` (100 are out), `notFound` and `precondition` (of the node to be replaced). The same
 * token again is the same token.
 */
export function decideIssueJoinToken(
  tables: TableReader,
  order: FleetOrderOf<"issueJoinToken">,
  context: DecideContext,
): DecideResult {
  const { tokenSha256, lifetimeMs, label, replacesNodeId } = order;
  if (tokenSha256.length !== 32) return refuse("invalidArgument", "A join token is named by its SHA-256.");
  if (lifetimeMs < lifetimeMsMin || lifetimeMs > lifetimeMsMax) {
    return refuse("invalidArgument", "A join token works for 1 minute to 7 days.");
  }
  const flaw = flawOfText(label, "The label");
  if (flaw !== undefined) return refuse("invalidArgument", flaw);
  const replaced = replacesNodeId === 0 ? undefined : checkReplaceable(tables, replacesNodeId);
  if (replaced?.ok === false) return replaced;
  const known = findJoinToken(tables, tokenSha256);
  if (known?.state === joinTokenState.out)
    return ok({ events: [], outcome: { fleet: { joinTokenId: known.joinTokenId } } });
  if (known !== undefined) return refuse("invalidArgument", "This join token was issued before; make a new one.");
  const ended = replacesNodeId === 0 ? [] : revokeTokensFor(tables, replacesNodeId);
  if (outJoinTokenIds(tables).length - ended.length >= joinTokensOutMax) {
    return refuse(
      "tooBusy",
      `${joinTokensOutMax} join tokens are out already. Revoke some, or wait until they are used or expire.`,
    );
  }
  const [joinTokenId = 1] = nextIds(tables, "joinToken");
  const expiresAtMs = context.atMs + lifetimeMs;
  return ok({
    events: [...ended, { kind: "joinTokenIssued", joinTokenId, tokenSha256, expiresAtMs, label, replacesNodeId }],
    outcome: { fleet: { joinTokenId } },
  });
}

/** Never refused: what is unknown, used or over stays so. */
export function decideRevokeJoinToken(tables: TableReader, order: FleetOrderOf<"revokeJoinToken">): DecideResult {
  const outIds = outJoinTokenIds(tables);
  const ids = order.isAll ? outIds : outIds.filter((id) => id === order.joinTokenId);
  if (ids.length === 0) return unchanged;
  const events = ids.map((joinTokenId) => ({ kind: "joinTokenRevoked" as const, joinTokenId, reason: "revoked" }));
  return ok({ events, outcome: {} });
}

/** Tokens whose time is over; for the controller. */
export function decideExpireJoinTokens(tables: TableReader, atMs: number): Decision {
  const over = outJoinTokenIds(tables).filter((id) => (tables.get(joinTokenTable, [id])?.expiresAtMs ?? 0) <= atMs);
  const events = over.map((joinTokenId) => ({ kind: "joinTokenRevoked" as const, joinTokenId, reason: "expired" }));
  return { events, outcome: {} };
}
