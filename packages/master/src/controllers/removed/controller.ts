import { ok } from "@holdfast/base";
import type { KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideForgetCopies } from "../../domain/chunks/decide-forget.ts";
import { copySetsOfNode } from "../../domain/chunks/node-copy-sets.ts";
import { copySetChunkTable, trimTable } from "../../domain/chunks/tables.ts";
import { listAllNodes, nodeIntent } from "../../domain/fleet/tables.ts";
import { readerOf, type TableReader } from "../../domain/tables.ts";
import { tableRange } from "../../projections/table-range.ts";
import type { Controller } from "../controller.ts";

/** Copies forgotten in one batch. */
const copiesPerBatchMax = 256;
/** Batches of one step; what is left waits for the next, so that commands go on in between. */
const batchesPerStepMax = 20;

/** What the controller works with. */
export interface RemovedControllerOptions {
  readonly intervalMs: number;
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
}

/**
 * A removed node never speaks again: what the log still expects of it is written off. Its trim orders count as carried out,
 * its copies as lost; so no chunk waits for it, and the sets of nodes that hold copies stay few.
 */
export function createRemovedController({ intervalMs, store, submitter }: RemovedControllerOptions): Controller {
  const tables = readerOf(store);
  return {
    name: "removed",
    intervalMs,
    step: async (isLeading) => {
      for (const { nodeId, intent } of listAllNodes(tables)) {
        if (intent !== nodeIntent.removed) continue;
        for (let batch = 0; batch < batchesPerStepMax && isLeading(); batch++) {
          const found = await observe(store, tables, nodeId);
          if (found.trimChunkIds.length === 0 && found.copyChunkIds.length === 0) break;
          await submitter.submit({
            actor: "controller:removed",
            decide: (now) => ok({ events: decideForgetCopies(now, { nodeId, ...found }), outcome: {} }),
          });
        }
      }
    },
  };
}

async function observe(
  store: KeyValueStore,
  tables: TableReader,
  nodeId: number,
): Promise<{ readonly trimChunkIds: readonly number[]; readonly copyChunkIds: readonly number[] }> {
  const trimChunkIds: number[] = [];
  const limit = copiesPerBatchMax;
  for await (const [[, chunkId]] of tableRange(store, trimTable, { prefix: [nodeId], limit }))
    trimChunkIds.push(chunkId);
  const copyChunkIds: number[] = [];
  for (const { key } of copySetsOfNode(tables, nodeId)) {
    const left = limit - copyChunkIds.length;
    if (left <= 0) break;
    for await (const [[, , chunkId]] of tableRange(store, copySetChunkTable, { prefix: [key], limit: left }))
      copyChunkIds.push(chunkId);
  }
  return { trimChunkIds, copyChunkIds };
}
