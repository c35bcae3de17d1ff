import { safeInteger } from "@holdfast/base";
import type { GetHistoryResponse } from "@holdfast/proto/fleet/v1/fleet";

/** A node at one moment. */
export interface NodeMoment {
  readonly usedBytes: number;
  readonly writeP95Ms: number;
}

/** What is drawn of one moment. */
export interface Sample {
  readonly atMs: number;
  /** Chunks with too few copies, none included. */
  readonly shortCount: number;
  readonly repairCount: number;
  readonly copyBytesPerSecond: number;
  readonly commandsPerSecond: number;
  readonly nodes: ReadonlyMap<number, NodeMoment>;
}

const samplesMax = 360;

/** From the wire, oldest first, numbers checked once. */
export function samplesFromWire({ samples }: GetHistoryResponse): readonly Sample[] {
  return samples.map((sample) => ({
    atMs: safeInteger(sample.atMs),
    shortCount: safeInteger(sample.chunksUnder + sample.chunksMissing),
    repairCount: safeInteger(sample.repairWaiting + sample.repairActive),
    copyBytesPerSecond: safeInteger(sample.copyBytesPerSecond),
    commandsPerSecond: sample.commandsPerSecond,
    nodes: new Map(
      sample.nodes.map((node) => [
        node.nodeId,
        { usedBytes: safeInteger(node.usedBytes), writeP95Ms: node.writeP95TenthMs / 10 },
      ]),
    ),
  }));
}

/** What is kept with what is new; a sample that is there already counts once, the oldest go first. */
export function withSamples(kept: readonly Sample[], fresh: readonly Sample[]): readonly Sample[] {
  const lastAtMs = kept.at(-1)?.atMs ?? -Infinity;
  const news = fresh.filter((sample) => sample.atMs > lastAtMs);
  return news.length === 0 ? kept : [...kept, ...news].slice(-samplesMax);
}
