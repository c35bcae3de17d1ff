import { ok } from "@holdfast/base";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideTrimGarbage } from "../../domain/chunks/decide-replicas.ts";
import { garbageTable, grantExpiryTable } from "../../domain/chunks/tables.ts";
import { tableRange } from "../../projections/table-range.ts";
import type { Controller } from "../controller.ts";
import { planGarbage } from "./plan.ts";

/** Chunks of one batch; each gives an order a copy. */
const chunksPerBatchMax = 256;
/** Batches of one step. */
const batchesPerStepMax = 20;

/** What the controller works with. */
export interface GarbageControllerOptions {
  readonly intervalMs: number;
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
  readonly clock: Clock;
}

/**
 * Turns garbage into committed trim orders; nothing is unlinked without one. The orders are decided against the tables of
 * that moment: a chunk that somebody holds by then is left alone.
 */
export function createGarbageController(options: GarbageControllerOptions): Controller {
  const { intervalMs, store, submitter, clock } = options;
  return {
    name: "garbage",
    intervalMs,
    step: async (isLeading) => {
      for (let batch = 0; batch < batchesPerStepMax && isLeading(); batch++) {
        const chunkIds = planGarbage({
          ...(await observe(store)),
          nowMs: clock.wallMs(),
          chunksMax: chunksPerBatchMax,
        });
        if (chunkIds.length === 0) return;
        const result = await submitter.submit({
          actor: "controller:garbage",
          decide: (tables, context) => ok({ events: decideTrimGarbage(tables, chunkIds, context), outcome: {} }),
        });
        if (result.events.length === 0) return;
      }
    },
  };
}

async function observe(
  store: KeyValueStore,
): Promise<{ garbageChunkIds: number[]; granted: { chunkId: number; expiresAtMs: number }[] }> {
  const garbageChunkIds: number[] = [];
  for await (const [[chunkId]] of tableRange(store, garbageTable, { limit: chunksPerBatchMax }))
    garbageChunkIds.push(chunkId);
  const granted: { chunkId: number; expiresAtMs: number }[] = [];
  for await (const [[expiresAtMs, chunkId]] of tableRange(store, grantExpiryTable, { limit: chunksPerBatchMax }))
    granted.push({ chunkId, expiresAtMs });
  return { garbageChunkIds, granted };
}
