import { ok, type Result } from "@holdfast/base";
import type { Refusal } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import type { JoinProof, NodeIntroduction } from "./decide.ts";
import { findJoinToken, joinTokenState, type JoinTokenRow } from "./join-tokens.ts";
import { refuse } from "./refusals.ts";
import { nodeTable } from "./tables.ts";

const howToJoin =
  "Make a join token with `holdfast admin node join-token` or on the admin page, and start the node with it.";

/** The join token that lets a new node in. Errors: `denied`, with the reason and what to do. */
export function admitByToken(
  tables: TableReader,
  { clusterId }: Pick<NodeIntroduction, "clusterId">,
  { proof, atMs }: { readonly proof: JoinProof; readonly atMs: number },
): Result<number, Refusal> {
  if (proof.credentialSha256 === undefined) {
    if (clusterId === "")
      return refuse("denied", `A new node needs a join token, and this one showed none. ${howToJoin}`);
    return refuse(
      "denied",
      "This directory says that it belongs to this cluster, and the cluster does not know it: it is from another time, or a copy. " +
        `Start with an empty directory. ${howToJoin}`,
    );
  }
  const token = findJoinToken(tables, proof.credentialSha256);
  if (token === undefined) {
    return refuse(
      "denied",
      `The join token is not one of this cluster's: it is another cluster's, or it ended long ago. ${howToJoin}`,
    );
  }
  const flaw = flawOf(tables, token, atMs);
  return flaw === undefined ? ok(token.joinTokenId) : refuse("denied", `${flaw} ${howToJoin}`);
}

function flawOf(tables: TableReader, token: JoinTokenRow, atMs: number): string | undefined {
  const { joinTokenId, label, expiresAtMs, endedAtMs, usedByNodeId, state } = token;
  const name = label === "" ? `Join token ${joinTokenId}` : `Join token ${joinTokenId} ("${label}")`;
  if (state === joinTokenState.used) {
    const node = tables.get(nodeTable, [usedByNodeId])?.name ?? `node ${usedByNodeId}`;
    return `${name} was used by ${node} ${agoText(atMs - endedAtMs)}; each lets one node in.`;
  }
  if (state === joinTokenState.revoked) return `${name} was revoked ${agoText(atMs - endedAtMs)}.`;
  if (state === joinTokenState.expired || expiresAtMs <= atMs) return `${name} expired ${agoText(atMs - expiresAtMs)}.`;
  return undefined;
}

function agoText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute ago";
  if (minutes < 120) return minutes === 1 ? "a minute ago" : `${minutes} minutes ago`;
  return `${Math.floor(minutes / 60)} hours ago`;
}
