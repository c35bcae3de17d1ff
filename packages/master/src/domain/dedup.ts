import { isPlanted } from "@holdfast/base";
import { idPart, textPart } from "./codec/key-codec.ts";
import { blob, record, text, uint } from "./codec/value-codec.ts";
import type { EventBatch } from "./events.ts";
import type { EvolveContext } from "./evolve-context.ts";
import { addToCounter, readCounter } from "./state.ts";
import { defineTable, type TableReader, type Tables } from "./tables.ts";

/** Outcomes kept at most. */
export const dedupOutcomesMax = 100_000;
/** How long an outcome is kept at least while fewer come: a retry within it is answered as the first time. */
export const dedupAgeMsMax = 24 * 3_600_000;
/** So many of the newest are kept whatever their age: a leader's clock that jumps must not make a retry count twice. */
export const dedupOutcomesMin = 10_000;
/** Outcomes forgotten with a batch at most; more than one, so that the window shrinks when it is too large. */
const prunedMax = 4;

/** What became of a request. */
export interface DedupRecord {
  readonly index: number;
  readonly atMs: number;
  /** Encoded CommandOutcome. */
  readonly outcome: Uint8Array;
}

/** Key: request id. */
export const dedupTable = defineTable({
  name: "dedup",
  tag: 0x10,
  keyParts: [textPart],
  value: record<DedupRecord>({ index: uint, atMs: uint, outcome: blob }),
});

/** Request ids in the order in which they came; key: a running number. */
export const dedupRingTable = defineTable({
  name: "dedupRing",
  tag: 0x11,
  keyParts: [idPart],
  value: record<{ readonly requestId: string; readonly atMs: number }>({ requestId: text, atMs: uint }),
});

/** What a retry of the request is answered, while it is in the window. */
export function findOutcome(tables: TableReader, requestId: string): DedupRecord | undefined {
  return isPlanted("dedupForgotten") ? undefined : tables.get(dedupTable, [requestId]);
}

/** Keeps the outcome of a batch that somebody may ask for again, and forgets the oldest. */
export function evolveDedup(tables: Tables, batch: EventBatch, context: EvolveContext): void {
  if (batch.requestId === "") return;
  const next = readCounter(tables, "dedup:next");
  tables.set(dedupTable, [batch.requestId], { index: context.index, atMs: batch.atMs, outcome: batch.outcome });
  tables.set(dedupRingTable, [next], { requestId: batch.requestId, atMs: batch.atMs });
  addToCounter(tables, "dedup:next", 1);
  prune(tables, next + 1, batch.atMs);
}

function prune(tables: Tables, next: number, atMs: number): void {
  const first = readCounter(tables, "dedup:first");
  let at = first;
  while (at < next && at - first < prunedMax) {
    const oldest = tables.get(dedupRingTable, [at]);
    const isOld = oldest !== undefined && next - at > dedupOutcomesMin && oldest.atMs + dedupAgeMsMax < atMs;
    if (oldest !== undefined && !isOld && next - at <= dedupOutcomesMax) break;
    if (oldest !== undefined) tables.delete(dedupTable, [oldest.requestId]);
    tables.delete(dedupRingTable, [at]);
    at += 1;
  }
  if (at > first) addToCounter(tables, "dedup:first", at - first);
}
