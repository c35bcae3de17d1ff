import { formatBytes } from "@holdfast/base";
import type { CopyNode } from "../repair/copy-node.ts";
import type { Forecast } from "./forecast.ts";

/** What the paragraph tells. */
export interface SummaryFacts {
  /** "Without node-1 and node-2", "Draining node-1": the beginning of a sentence that ends with a colon. */
  readonly subject: string;
  readonly forecast: Forecast;
  /** Distinct, counted up to the limit of the count. */
  readonly filesLost: number;
  readonly nodes: readonly CopyNode[];
  /** Why an order would be refused; empty when it would be carried out. */
  readonly refusal: string;
}

/** The forecast in a paragraph for people. */
export function summarise({ subject, forecast, filesLost, nodes, refusal }: SummaryFacts): string {
  const sentences = [`${subject}: ${lossWords(forecast, filesLost)}.`, copyWords(forecast)];
  const fullest = fullestWords(forecast, nodes);
  if (fullest !== "") sentences.push(fullest);
  if (!forecast.isRepairable) sentences.push(repairWords(forecast));
  sentences.push(forecast.isWritable ? "Writes go on." : "Writes would stop: too few nodes could take a copy.");
  if (refusal !== "") sentences.push(`The order would be refused: ${refusal}`);
  return sentences.join(" ");
}

function lossWords({ chunksLost, chunksAtOne }: Forecast, filesLost: number): string {
  const atOne = chunksAtOne === 0 ? "" : `, ${count(chunksAtOne, "chunk")} would have a single copy`;
  if (chunksLost === 0) return `every chunk keeps a copy${atOne}`;
  return `${count(chunksLost, "chunk")} of ${count(filesLost, "file")} would have no copy that can be read${atOne}`;
}

function copyWords({ bytesToCopy, repairMs }: Forecast): string {
  if (bytesToCopy === 0) return "Nothing has to be copied.";
  const time = repairMs === 0 ? "" : ` in about ${duration(repairMs)}`;
  return `${formatBytes(bytesToCopy)} would be copied${time}.`;
}

function fullestWords({ fills }: Forecast, nodes: readonly CopyNode[]): string {
  const known = fills.filter((fill) => fill.capacityBytes > 0);
  const [fullest] = known.toSorted(
    (left, right) => right.usedBytes / right.capacityBytes - left.usedBytes / left.capacityBytes,
  );
  if (fullest === undefined) return "";
  const name = nodes.find((node) => node.nodeId === fullest.nodeId)?.name ?? `node ${fullest.nodeId}`;
  return `Afterwards the fullest node would be ${name} with ${percent(fullest.usedBytes / fullest.capacityBytes)}.`;
}

function repairWords({ chunksLost, fills }: Forecast): string {
  if (chunksLost > 0) return "What has no copy left can't be repaired until a node with it is back.";
  return fills.length === 0
    ? "No node would be left to repair to."
    : "The copies wanted could not all be made again: too few nodes, or too little room.";
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  const value = share * 100;
  return value > 0 && value < 1 ? "less than 1 %" : `${Math.round(value)} %`;
}

function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 120) return count(seconds, "second");
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? count(minutes, "minute") : count(Math.round(minutes / 60), "hour");
}
