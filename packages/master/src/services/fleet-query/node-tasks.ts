import { create } from "@bufbuild/protobuf";
import { NodeTaskSchema, type NodeTask } from "@holdfast/proto/fleet/v1/fleet";
import { copySetsOfNode } from "../../domain/chunks/node-copy-sets.ts";
import { copySetTable } from "../../domain/chunks/tables.ts";
import { countLosses } from "../../domain/fleet/losses.ts";
import { replacementTable } from "../../domain/fleet/replacements.ts";
import { readStandings, type Standings } from "../../domain/fleet/standing.ts";
import { listNodes, nodeIntent, nodeOrderTable, type NodeRow } from "../../domain/fleet/tables.ts";
import { clusterTable } from "../../domain/state.ts";
import type { TableReader } from "../../domain/tables.ts";

/** What whoever drains knows of one node's drain. */
export interface DrainNumbers {
  /** Estimate; 0 = unknown or done. */
  readonly remainingMs: number;
  /** Why it does not go on, in words; empty when it does. */
  readonly blockedReasons: readonly string[];
}

const kinds = new Map<number, string>([
  [nodeIntent.draining, "drain"],
  [nodeIntent.drained, "drain"],
  [nodeIntent.maintenance, "maintenance"],
  [nodeIntent.failed, "failed"],
]);

/** One task for each node that is not simply active; counted by copy sets, so whatever the number of chunks. */
export function nodeTasks(
  tables: TableReader,
  drainNumbers: (nodeId: number) => DrainNumbers | undefined,
): readonly NodeTask[] {
  const standings = readStandings(tables);
  return listNodes(tables).flatMap((row) => {
    const kind = kinds.get(row.intent);
    return kind === undefined ? [] : [taskOf(tables, row, { kind, standings, drain: drainNumbers(row.nodeId) })];
  });
}

function taskOf(
  tables: TableReader,
  { nodeId }: NodeRow,
  {
    kind,
    standings,
    drain,
  }: { readonly kind: string; readonly standings: Standings; readonly drain: DrainNumbers | undefined },
): NodeTask {
  const order = tables.get(nodeOrderTable, [nodeId]);
  const wanted = tables.get(clusterTable, [])?.replication ?? 1;
  const losses = countLosses(tables, nodeId, { isLeft: standings.stays, wanted });
  const isDrain = kind === "drain";
  const replacedByNodeId = tables.get(replacementTable, [nodeId])?.byNodeId ?? 0;
  // Nobody can take anything from a node that is gone: what counts is how much the others still lack.
  const isGone = replacedByNodeId !== 0 && !standings.counts(nodeId);
  const copiesLeft = isGone ? losses.shortCount : losses.copiesCount;
  return create(NodeTaskSchema, {
    ...{ nodeId, kind, reason: order?.reason ?? "" },
    startedAtMs: BigInt(order?.sinceMs ?? 0),
    endsAtMs: BigInt(order?.endsAtMs ?? 0),
    copiesTotal: BigInt(order?.copiesTotal ?? 0),
    copiesLeft: BigInt(isDrain ? copiesLeft : 0),
    bytesLeft: BigInt(isDrain && copiesLeft > 0 ? heldBytes(tables, nodeId) : 0),
    remainingMs: BigInt(drain?.remainingMs ?? 0),
    blockedReasons: [...(drain?.blockedReasons ?? [])],
    isSafeToRemove: losses.shortCount === 0,
    replacedByNodeId,
  });
}

function heldBytes(tables: TableReader, nodeId: number): number {
  return copySetsOfNode(tables, nodeId).reduce(
    (sum, { key }) => sum + (tables.get(copySetTable, [key])?.heldBytes ?? 0),
    0,
  );
}
