import type { TableReader } from "../tables.ts";
import { explainRemoval } from "./replacements.ts";
import { listAllNodes, nodeIntent } from "./tables.ts";

/** Nodes that were removed, by uuid, and why nobody answers them any more. */
export function readRefusedNodes(tables: TableReader): ReadonlyMap<string, string> {
  const removed = listAllNodes(tables).filter(({ intent }) => intent === nodeIntent.removed);
  return new Map(removed.map((row) => [row.nodeUuid, explainRemoval(tables, row)]));
}
