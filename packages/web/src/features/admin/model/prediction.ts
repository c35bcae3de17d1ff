import { formatBytes, safeInteger } from "@holdfast/base";
import type { PredictResponse } from "@holdfast/proto/fleet/v1/fleet";
import { formatCount, formatDuration } from "../../../lib/format.ts";
import type { Tone } from "./headline.ts";

/** What would happen, as a dialog shows it. */
export interface Prediction {
  readonly tone: Tone;
  readonly summary: string;
  /** Why it would be refused; else empty. */
  readonly refusal: string;
  /** Name and value, in the order in which they matter. */
  readonly facts: readonly (readonly [string, string])[];
  readonly filesLostExamples: readonly string[];
  /** Element n counts chunks that would have n live copies. */
  readonly chunksByCopies: readonly number[];
  readonly fills: readonly { readonly nodeId: number; readonly share: number }[];
}

const filesCountedMax = 10_000;

/** From the wire. */
export function predictionFromWire(wire: PredictResponse): Prediction {
  const chunksByCopies = wire.chunksByCopiesLeft.map(safeInteger);
  const filesLost = safeInteger(wire.filesLost);
  const bytesToCopy = safeInteger(wire.bytesToCopy);
  const isLossy = filesLost > 0 || (chunksByCopies[0] ?? 0) > 0;
  const time = wire.repairMs === 0n ? "" : `, about ${formatDuration(safeInteger(wire.repairMs))}`;
  return {
    tone: isLossy ? "crit" : wire.isRepairable && wire.isWritable ? "ok" : "warn",
    summary: wire.summary,
    refusal: wire.refusal,
    facts: [
      [
        "Files without a readable copy",
        filesLost === 0 ? "none" : `${formatCount(filesLost)}${filesLost >= filesCountedMax ? " or more" : ""}`,
      ],
      ["To copy", bytesToCopy === 0 ? "nothing" : `${formatBytes(bytesToCopy)}${time}`],
      ["All copies can be had again", wire.isRepairable ? "yes" : "no"],
      ["Writes go on", wire.isWritable ? "yes" : "no"],
    ],
    filesLostExamples: wire.filesLostExamples,
    chunksByCopies,
    fills: wire.fills.map((fill) => ({
      nodeId: fill.nodeId,
      share: fill.capacityBytes === 0n ? 0 : Number(fill.usedBytes) / Number(fill.capacityBytes),
    })),
  };
}

/** "7 with none, 410 with 1": chunks by live copies left. */
export function copiesText(chunksByCopies: readonly number[]): string {
  const parts = chunksByCopies
    .map((count, copies) => ({ count, copies }))
    .filter(({ count }) => count > 0)
    .map(({ count, copies }) => `${formatCount(count)} with ${copies === 0 ? "none" : copies}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}
