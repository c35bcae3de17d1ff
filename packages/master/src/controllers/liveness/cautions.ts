import { drillsOf } from "../../domain/fleet/drills.ts";
import { explainFlapping, type FlapLimits } from "../../domain/fleet/flapping.ts";
import type { NodeRow } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { Slowness, SlownessLimits } from "./slowness.ts";

/** Why a live node is used only when no other one can be. */
export interface Caution {
  /** Slow but alive. */
  readonly isGray: boolean;
  /** In words. */
  readonly reason: string;
}

/** What a look at the streams showed: how often one of a node's broke within the last minutes, and when last. */
export interface StreamBreaks {
  readonly count: number;
  readonly lastAgoMs: number;
}

/** When a node is used last. */
export interface CautionLimits extends SlownessLimits, FlapLimits {
  /** So many broken streams within five minutes. */
  readonly breaksMin: number;
  /** For so long after the last one. */
  readonly breakHoldMs: number;
}

/** The nodes to be careful with now, slow ones first of all reasons. */
export function planCautions(
  tables: TableReader,
  rows: readonly NodeRow[],
  seen: {
    readonly atMs: number;
    readonly slowness: ReadonlyMap<number, Slowness>;
    readonly breaksOf: (nodeId: number) => StreamBreaks;
    readonly limits: CautionLimits;
  },
): ReadonlyMap<number, Caution> {
  const cautions = new Map<number, Caution>();
  for (const row of rows) {
    const slowness = seen.slowness.get(row.nodeId);
    const isGray = slowness?.isGray === true;
    const reasons = [
      isGray
        ? `${slowness.reason || "was slow lately, and is not tried again yet"}${injected(tables, row.nodeId)}`
        : "",
      explainFlapping(tables, row, seen),
      explainBreaks(seen.breaksOf(row.nodeId), seen.limits),
    ].filter((reason) => reason !== "");
    if (reasons.length > 0) cautions.set(row.nodeId, { isGray, reason: reasons.join("; ") });
  }
  return cautions;
}

/** What a drill made slow says so. */
function injected(tables: TableReader, nodeId: number): string {
  const drill = drillsOf(tables, nodeId).find(({ drillKind }) => drillKind === "slow");
  return drill === undefined ? "" : ` (drill ${drill.drillId})`;
}

function explainBreaks({ count, lastAgoMs }: StreamBreaks, limits: CautionLimits): string {
  if (count < limits.breaksMin || lastAgoMs >= limits.breakHoldMs) return "";
  return `its connection broke ${count} times within five minutes: it gets new copies only when no other node can take them`;
}
