import { mix } from "../../domain/chunks/placement/draw.ts";

/** How large the cluster is. */
export interface ScaleSize {
  readonly nodeCount: number;
  readonly chunkCount: number;
  /** Chunks of every file; the last file may have fewer. */
  readonly chunksPerFile: number;
  readonly zoneCount: number;
}

/** Bytes of every chunk. */
export const scaleChunkBytes = 4 << 20;
/** Bytes that every node may use: at ten million chunks a thousand nodes are about half full. */
export const scaleCapacityBytes = 2 ** 38;
/** Files in every folder. */
export const scaleFolderFiles = 1000;

/** The name of a simulated node; its identity is its id, padded. */
export function scaleNodeUuid(nodeId: number): string {
  return `${nodeId}`.padStart(32, "0");
}

/** Its failure domain. */
export function scaleZone(nodeId: number, zoneCount: number): string {
  return `zone-${nodeId % zoneCount}`;
}

/** Bytes that look like a hash: a store can't press them together, as it can't a real one. */
export function scaleSha256(chunkId: number): Uint8Array {
  const words = new Uint32Array(8);
  for (let at = 0; at < words.length; at++) words[at] = mix(chunkId, 1000 + at);
  return new Uint8Array(words.buffer);
}
