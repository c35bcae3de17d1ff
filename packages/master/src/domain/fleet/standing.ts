import { isPlanted } from "@holdfast/base";
import type { TableReader } from "../tables.ts";
import { listAllNodes, nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/** Copies there count now: the node is not down, not declared failed, and not removed. */
export function copiesCount(row: NodeRow): boolean {
  const isHere = !row.isDown || isPlanted("deadCopyCounts");
  return isHere && row.intent !== nodeIntent.failed && row.intent !== nodeIntent.removed;
}

/** Copies there count towards the number wanted: they count now, and the node is not giving them away. */
export function copiesStay(row: NodeRow): boolean {
  return copiesCount(row) && row.intent !== nodeIntent.draining && row.intent !== nodeIntent.drained;
}

/** Copies there are proof enough to remove another one: the node is up, active, and shall stay. */
export function copiesAreSolid(row: NodeRow): boolean {
  return !row.isDown && row.intent === nodeIntent.active;
}

/** The node is away with leave: its copies are not repaired as long as enough others are left. */
export function isExcused(row: NodeRow): boolean {
  return row.isDown && row.intent === nodeIntent.maintenance;
}

/** The same questions by node id; nodes that never joined have no copies. */
export interface Standings {
  readonly counts: (nodeId: number) => boolean;
  readonly stays: (nodeId: number) => boolean;
  readonly isSolid: (nodeId: number) => boolean;
}

/** How all nodes stand now, read once: for those who ask about many chunks. */
export function readStandings(tables: TableReader): Standings {
  const rows = new Map(listAllNodes(tables).map((row) => [row.nodeId, row]));
  return standingsOf((nodeId) => rows.get(nodeId));
}

/** How nodes stand, read one by one when asked: for decisions about a few chunks. */
export function standingsIn(tables: TableReader): Standings {
  return standingsOf((nodeId) => tables.get(nodeTable, [nodeId]));
}

function standingsOf(rowOf: (nodeId: number) => NodeRow | undefined): Standings {
  const ask =
    (question: (row: NodeRow) => boolean) =>
    (nodeId: number): boolean => {
      const row = rowOf(nodeId);
      return row !== undefined && question(row);
    };
  return {
    counts: ask(copiesCount),
    stays: ask(copiesStay),
    isSolid: ask(copiesAreSolid),
  };
}
