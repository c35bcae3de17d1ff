import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import type { KeyValueStore } from "@holdfast/runtime";
import { copySetsOfNode } from "../domain/chunks/node-copy-sets.ts";
import { copySetChunkTable } from "../domain/chunks/tables.ts";
import type { DomainCommand } from "../domain/commands.ts";
import { readerOf } from "../domain/tables.ts";
import { tableRange } from "../projections/table-range.ts";

/** Copy sets looked through for a chunk, and chunks of each. */
const setsMax = 32;
const chunksPerSetMax = 4;

/**
 * Adds what an order needs and a decision can't look for, because it reads single rows only: chunks whose copy on the
 * node might be damaged by a drill. The decision proves each of them anew. Other commands pass unchanged.
 */
export async function prepareFleetCommand(store: KeyValueStore, command: DomainCommand): Promise<DomainCommand> {
  if (command.kind !== "fleet" || command.order.case !== "startDrill") return command;
  if (command.order.value.kind !== DrillKind.CORRUPT) return command;
  const sets = copySetsOfNode(readerOf(store), command.order.value.nodeId)
    .filter((set) => set.heldCount > 0 && set.nodeIds.length > 1)
    .toSorted((left, right) => right.nodeIds.length - left.nodeIds.length)
    .slice(0, setsMax);
  const candidateChunkIds: number[] = [];
  for (const { key } of sets) {
    const range = { prefix: [key] as [string], limit: chunksPerSetMax };
    for await (const [[, , chunkId]] of tableRange(store, copySetChunkTable, range)) candidateChunkIds.push(chunkId);
  }
  return { ...command, candidateChunkIds };
}
