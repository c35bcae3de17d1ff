import { safeInteger } from "@holdfast/base";
import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import type { DrillOrder as WireDrillOrder } from "@holdfast/proto/master/v1/master";
import { chunkKeyFromWire } from "../services/chunk-requests-from-wire.ts";
import type { HeldChunk } from "../store/chunk-store.ts";

/** What a drill does; docs and metrics use the same words. */
export const drillKinds = ["stop", "partition", "slow", "corrupt"] as const;

/** See `drillKinds`. */
export type DrillWord = (typeof drillKinds)[number];

/** One drill that shall run now. */
export interface DrillOrder {
  readonly drillId: number;
  readonly kind: DrillWord;
  /** Ends by itself after this, on the node's own clock. */
  readonly remainingMs: number;
  /** Of "slow": added to every disk operation. */
  readonly delayMs: number;
  /** Of "corrupt": which copy. */
  readonly chunk: HeldChunk | undefined;
}

/** No drill lasts longer, whatever the order says. */
export const drillMsMax = 3_600_000;
/** No operation is delayed longer. */
const delayMsMax = 60_000;

const wordByKind: Readonly<Record<number, DrillWord>> = {
  [DrillKind.STOP]: "stop",
  [DrillKind.PARTITION]: "partition",
  [DrillKind.SLOW]: "slow",
  [DrillKind.CORRUPT]: "corrupt",
};

/** Undefined for a kind that this version does not know. Errors: invalidArgument. */
export function drillOrderFromWire(wire: WireDrillOrder): DrillOrder | undefined {
  const kind = wordByKind[wire.kind];
  if (kind === undefined) return undefined;
  return {
    drillId: safeInteger(wire.drillId),
    kind,
    remainingMs: Math.min(safeInteger(wire.remainingMs), drillMsMax),
    delayMs: Math.min(wire.delayMs, delayMsMax),
    chunk:
      wire.chunk === undefined ? undefined : { ...chunkKeyFromWire(wire.chunk), lengthBytes: wire.chunk.lengthBytes },
  };
}
