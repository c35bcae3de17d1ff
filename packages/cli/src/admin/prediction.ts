import { formatBytes } from "@holdfast/base";
import type { PredictResponse } from "@holdfast/proto/fleet/v1/fleet";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import { formatDuration } from "../output.ts";
import { nodeName } from "./find-node.ts";

/** Whether carrying it out leaves anything without a readable copy. */
export function isLossy({ filesLost, chunksByCopiesLeft }: PredictResponse): boolean {
  return filesLost > 0n || (chunksByCopiesLeft[0] ?? 0n) > 0n;
}

/** What would happen, for `--json`. */
export function predictionDocument(
  prediction: PredictResponse,
  status: GetClusterStatusResponse,
): Record<string, unknown> {
  return {
    filesLost: Number(prediction.filesLost),
    filesLostExamples: prediction.filesLostExamples,
    chunksByCopiesLeft: prediction.chunksByCopiesLeft.map(Number),
    bytesToCopy: Number(prediction.bytesToCopy),
    repairMs: Number(prediction.repairMs),
    isRepairable: prediction.isRepairable,
    isWritable: prediction.isWritable,
    refusal: prediction.refusal,
    summary: prediction.summary,
    fills: prediction.fills.map((fill) => ({
      node: nodeName(status, fill.nodeId),
      usedBytes: Number(fill.usedBytes),
      capacityBytes: Number(fill.capacityBytes),
    })),
    index: Number(prediction.index),
  };
}

/** What would happen, for people. */
export function predictionText(prediction: PredictResponse, status: GetClusterStatusResponse): string {
  const { chunksByCopiesLeft, filesLost, filesLostExamples, bytesToCopy, repairMs, fills } = prediction;
  const byCopies = chunksByCopiesLeft
    .map((count, copies) => ({ count, copies }))
    .filter(({ count }) => count > 0n)
    .map(({ count, copies }) => `${count} with ${copies === 0 ? "none" : copies}`);
  const time = repairMs > 0n ? `, about ${timeText(Number(repairMs))}` : "";
  const lost = filesLost === 0n ? "none" : `${filesLost >= 10_000n ? "10000 or more" : filesLost}`;
  const rows: readonly (readonly [string, string])[] = [
    ["files without a readable copy", lost],
    ["chunks by copies left", byCopies.join(", ")],
    ["to copy", bytesToCopy === 0n ? "nothing" : `${formatBytes(Number(bytesToCopy))}${time}`],
    ["all copies can be had again", prediction.isRepairable ? "yes" : "NO"],
    ["writes go on", prediction.isWritable ? "yes" : "NO"],
    ["fill afterwards", fills.map((fill) => `${nodeName(status, fill.nodeId)} ${percentOf(fill)}`).join(", ")],
  ];
  const shown = rows.filter(([, value]) => value !== "").map(([name, value]) => `  ${name.padEnd(30)} ${value}`);
  const examples = filesLostExamples.map((path) => `    ${path}`);
  return [prediction.summary, ...shown.slice(0, 1), ...examples, ...shown.slice(1)]
    .filter((line) => line !== "")
    .join("\n");
}

function timeText(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds);
}

function percentOf(fill: { readonly usedBytes: bigint; readonly capacityBytes: bigint }): string {
  if (fill.capacityBytes === 0n) return "?";
  const percent = (Number(fill.usedBytes) / Number(fill.capacityBytes)) * 100;
  return fill.usedBytes > 0n && percent < 1 ? "< 1 %" : `${Math.round(percent)} %`;
}
