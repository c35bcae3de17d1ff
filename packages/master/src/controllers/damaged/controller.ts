import { ok } from "@holdfast/base";
import type { KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideDropDamaged } from "../../domain/chunks/decide-damaged.ts";
import { corruptTable } from "../../domain/chunks/tables.ts";
import { tableRange } from "../../projections/table-range.ts";
import type { Controller } from "../controller.ts";

/** Damaged chunks of one look; the next one goes on behind them. */
const chunksPerLookMax = 512;

/** What the controller works with. */
export interface DamagedControllerOptions {
  readonly intervalMs: number;
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
}

/**
 * A damaged copy is usually written anew where it is. When the chunk got its copies elsewhere meanwhile (it was being moved,
 * or its node drained), nobody does that: then the place is given up, so that the chunk is not called damaged for ever.
 */
export function createDamagedController({ intervalMs, store, submitter }: DamagedControllerOptions): Controller {
  let fromChunkId = 0;
  return {
    name: "damaged",
    intervalMs,
    step: async (isLeading) => {
      const chunkIds: number[] = [];
      const range = { prefix: [fromChunkId], through: [], limit: chunksPerLookMax } as const;
      for await (const [[chunkId]] of tableRange(store, corruptTable, range)) chunkIds.push(chunkId);
      fromChunkId = chunkIds.length < chunksPerLookMax ? 0 : (chunkIds.at(-1) ?? 0) + 1;
      if (chunkIds.length === 0 || !isLeading()) return;
      await submitter.submit({
        actor: "controller:damaged",
        decide: (tables, context) => ok({ events: decideDropDamaged(tables, chunkIds, context), outcome: {} }),
      });
    },
  };
}
