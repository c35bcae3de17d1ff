import { type Result } from "@holdfast/base";
import { countHeldCopies } from "../chunks/node-copy-sets.ts";
import type { Decision, Refusal } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { clusterTable } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { countLosses } from "./losses.ts";
import { outJoinTokenIds } from "./join-tokens.ts";
import { findNode, refuse } from "./refusals.ts";
import { replacementTable, tokenReplacesTable } from "./replacements.ts";
import { standingsIn } from "./standing.ts";
import { listNodes, nodeByNameTable, nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/** What a newcomer is called and where it stands: its own words, or what it takes over. */
export interface Place {
  readonly name: string;
  readonly zone: string;
  readonly rack: string;
}

/** Whether a node may be replaced. Errors: `notFound`, `precondition` (removed, or replaced already). */
export function checkReplaceable(tables: TableReader, nodeId: number): Result<NodeRow, Refusal> {
  const found = findNode(tables, nodeId);
  if (!found.ok) return found;
  const replacement = tables.get(replacementTable, [nodeId]);
  if (replacement === undefined) return found;
  const successor = tables.get(nodeTable, [replacement.byNodeId])?.name ?? `node ${replacement.byNodeId}`;
  return refuse(
    "precondition",
    `${found.value.name} was replaced by ${successor} already and gives its copies to it. To replace ${successor}, name that one.`,
  );
}

/** Tokens that are out for the same node: each is worth a place that only one can take. */
export function revokeTokensFor(tables: TableReader, nodeId: number): readonly DomainEvent[] {
  return outJoinTokenIds(tables)
    .filter((joinTokenId) => tables.get(tokenReplacesTable, [joinTokenId])?.nodeId === nodeId)
    .map((joinTokenId) => ({ kind: "joinTokenRevoked", joinTokenId, reason: "revoked" }));
}

/**
 * What follows when `byNodeId` comes with a token for another node's place: the place, and the retirement of who had it.
 * A node that was removed meanwhile leaves its name and labels all the same.
 */
export function takePlace(
  tables: TableReader,
  { joinTokenId, byNodeId, own }: { readonly joinTokenId: number; readonly byNodeId: number; readonly own: Place },
): { readonly place: Place; readonly events: readonly DomainEvent[] } {
  const replaces = tables.get(tokenReplacesTable, [joinTokenId]);
  const row = replaces === undefined ? undefined : tables.get(nodeTable, [replaces.nodeId]);
  if (row === undefined) return { place: own, events: [] };
  const { nodeId, name, zone, rack } = row;
  const place = { name, zone, rack };
  const isGone = row.intent === nodeIntent.removed || tables.get(replacementTable, [nodeId]) !== undefined;
  if (isGone) return { place, events: [] };
  const retiredName = freeNameAfter(tables, name);
  const copiesTotal = countHeldCopies(tables, nodeId);
  return { place, events: [{ kind: "nodeReplaced", nodeId, byNodeId, retiredName, copiesTotal }] };
}

/**
 * Replaced nodes that nothing depends on any more; for the controller. One that is up goes when it has given everything
 * away; one that is gone when every chunk it held has as many copies as wanted without it.
 */
export function decideRetire(tables: TableReader): Decision {
  const events = listNodes(tables)
    .filter((row) => row.intent !== nodeIntent.active && tables.get(replacementTable, [row.nodeId]) !== undefined)
    .filter((row) => isSuperfluous(tables, row))
    .map(({ nodeId }) => ({ kind: "nodeRemoved" as const, nodeId, copiesLeft: countHeldCopies(tables, nodeId) }));
  return { events, outcome: {} };
}

function isSuperfluous(tables: TableReader, row: NodeRow): boolean {
  if (row.intent === nodeIntent.drained) return true;
  if (!row.isDown && row.intent !== nodeIntent.failed) return false;
  const standings = standingsIn(tables);
  const wanted = tables.get(clusterTable, [])?.replication ?? 1;
  const short = countLosses(tables, row.nodeId, { isLeft: standings.stays, wanted });
  const last = countLosses(tables, row.nodeId, { isLeft: standings.counts, wanted: 1 });
  return short.shortCount === 0 && last.lastCopiesCount === 0;
}

const nameLengthMax = 63;

function freeNameAfter(tables: TableReader, name: string): string {
  for (let number = 1; ; number++) {
    const ending = number === 1 ? ".old" : `.old${number}`;
    const candidate = `${name.slice(0, nameLengthMax - ending.length)}${ending}`;
    if (tables.get(nodeByNameTable, [candidate]) === undefined) return candidate;
  }
}
