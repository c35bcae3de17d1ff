import { ok } from "@holdfast/base";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../application/submission.ts";
import type { Decision } from "../domain/decision.ts";
import { readerOf, type TableReader } from "../domain/tables.ts";
import type { Controller } from "./controller.ts";

/** Batches of one step; what is left waits for the next, so that commands go on in between. */
const roundsMax = 20;

/** What a step controller works with. */
export interface StepControllerOptions {
  readonly name: string;
  readonly intervalMs: number;
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
  readonly clock: Clock;
  /** The next bounded batch of work at this time; no events when nothing is left. Pure. */
  readonly decide: (tables: TableReader, atMs: number) => Decision;
}

/** Work that is found and decided by the same pure function: looks at the applied tables first, so that idle steps submit nothing. */
export function createStepController(options: StepControllerOptions): Controller {
  const { name, intervalMs, store, submitter, clock, decide } = options;
  return {
    name,
    intervalMs,
    step: async (isLeading) => {
      for (let round = 0; round < roundsMax && isLeading(); round++) {
        if (decide(readerOf(store), Math.floor(clock.wallMs())).events.length === 0) return;
        const result = await submitter.submit({
          actor: `controller:${name}`,
          decide: (tables, context) => ok(decide(tables, context.atMs)),
        });
        if (result.events.length === 0) return;
      }
    },
  };
}
