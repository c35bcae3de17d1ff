import { uint32Part } from "../codec/key-codec.ts";
import { record, uint } from "../codec/value-codec.ts";
import { defineTable, type TableReader } from "../tables.ts";
import { nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/** What became of a node whose place another one took. */
export interface ReplacementRow {
  readonly byNodeId: number;
  /** Leader time. */
  readonly replacedAtMs: number;
}

/** Replaced nodes by id; for ever, so that whoever comes back is told. */
export const replacementTable = defineTable({
  name: "replacement",
  tag: 0x3a,
  keyParts: [uint32Part],
  value: record<ReplacementRow>({ byNodeId: uint, replacedAtMs: uint }),
});

/** The node whose place the bearer of a join token takes, by token id; no row for plain tokens. */
export const tokenReplacesTable = defineTable({
  name: "tokenReplaces",
  tag: 0x3b,
  keyParts: [uint32Part],
  value: record<{ readonly nodeId: number }>({ nodeId: uint }),
});

/**
 * Who is to hold what a replaced node held: its successor, or that one's, and so on; undefined when the node was not
 * replaced or the last in the line was removed itself. Successors are newer than whom they follow, so it ends.
 */
export function successorOf(tables: TableReader, nodeId: number): NodeRow | undefined {
  let next = tables.get(replacementTable, [nodeId])?.byNodeId;
  let successor: NodeRow | undefined;
  while (next !== undefined) {
    successor = tables.get(nodeTable, [next]);
    next = tables.get(replacementTable, [next])?.byNodeId;
  }
  return successor === undefined || successor.intent === nodeIntent.removed ? undefined : successor;
}

/** Why a removed node is out, and what to do; ends with a full stop. */
export function explainRemoval(tables: TableReader, row: NodeRow): string {
  const replacement = tables.get(replacementTable, [row.nodeId]);
  if (replacement === undefined)
    return `${row.name} was removed from this cluster. Start it with an empty directory to join anew.`;
  const successor = tables.get(nodeTable, [replacement.byNodeId])?.name ?? "another node";
  const day = new Date(replacement.replacedAtMs).toISOString().slice(0, 16).replace("T", " ");
  return (
    `${row.name} was replaced by ${successor} (node ${replacement.byNodeId}) on ${day} UTC: that one has its name and its copies, ` +
    "and this directory can never come back. Start with an empty directory and a join token to join as a new node."
  );
}
