import { uint32Part } from "../codec/key-codec.ts";
import { record, uint } from "../codec/value-codec.ts";
import { defineTable, type TableReader, type Tables } from "../tables.ts";
import type { NodeRow } from "./tables.ts";

/** How often a node went down lately, by committed facts: so a new leader knows it, too. */
export interface FlapRow {
  /** Since a window passed without any. */
  readonly downCount: number;
  /** Leader time of the last one. */
  readonly lastDownMs: number;
}

/** Flapping by node; no row for nodes that never went down. */
export const flapTable = defineTable({
  name: "flap",
  tag: 0x39,
  keyParts: [uint32Part],
  value: record<FlapRow>({ downCount: uint, lastDownMs: uint }),
});

/** So long without going down is forgiven. Not a setting: every master has to count alike. */
const windowMs = 10 * 60_000;
/** When a node that went down too often is held back, and for how long. */
export interface FlapLimits {
  /** So many times, each within ten minutes of the one before. */
  readonly flapsMin: number;
  /** After it is up again; doubled with every further time. */
  readonly flapHoldMsMin: number;
  readonly flapHoldMsMax: number;
}

/** For `evolve`: a node went down. */
export function noteFlap(tables: Tables, nodeId: number, atMs: number): void {
  const before = tables.get(flapTable, [nodeId]);
  const isNew = before === undefined || atMs - before.lastDownMs > windowMs;
  tables.set(flapTable, [nodeId], { downCount: isNew ? 1 : before.downCount + 1, lastDownMs: atMs });
}

/**
 * Why a node that is up again is held back at this leader time, in words; empty when it is not. The hold doubles with
 * every further time it goes down.
 */
export function explainFlapping(
  tables: TableReader,
  row: NodeRow,
  { atMs, limits }: { readonly atMs: number; readonly limits: FlapLimits },
): string {
  const { flapsMin, flapHoldMsMin, flapHoldMsMax } = limits;
  // Most nodes did not change lately, which their row says already.
  if (row.isDown || atMs - row.changedAtMs >= flapHoldMsMax) return "";
  const flap = tables.get(flapTable, [row.nodeId]);
  if (flap === undefined || flap.downCount < flapsMin) return "";
  const holdMs = Math.min(flapHoldMsMax, flapHoldMsMin * 2 ** (flap.downCount - flapsMin));
  const leftMs = row.changedAtMs + holdMs - atMs;
  if (leftMs <= 0) return "";
  return `went down ${flap.downCount} times in short order: for ${Math.ceil(leftMs / 1000)} s more it gets new copies only when no other node can take them`;
}
