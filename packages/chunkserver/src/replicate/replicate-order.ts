import { safeInteger } from "@holdfast/base";
import type { ReplicateChunk } from "@holdfast/proto/master/v1/master";
import { chunkKeyFromWire, invalid } from "../services/chunk-requests-from-wire.ts";
import { checkNewChunk } from "../store/chunk-requests.ts";
import type { ChunkFacts } from "../store/chunk-store.ts";

/** Sources looked at; a chunk has no more copies. */
const sourcesMax = 16;

/** Who has the copy. */
export interface ReplicaSource {
  readonly nodeId: number;
  /** host:port. */
  readonly address: string;
}

/** A copy to fetch. */
export interface ReplicateOrder {
  readonly chunk: ChunkFacts;
  /** Best first. */
  readonly sources: readonly ReplicaSource[];
  /** For all fetching of this node together; 0 = no limit. */
  readonly bytesPerSecondMax: number;
}

/** Errors: invalidArgument. */
export function replicateOrderFromWire(wire: ReplicateChunk): ReplicateOrder {
  const chunk = { ...chunkKeyFromWire(wire), lengthBytes: wire.lengthBytes, sha256: wire.sha256 };
  checkNewChunk(chunk);
  if (chunk.sha256.length !== 32) throw invalid("a SHA-256 has 32 bytes");
  const sources = wire.sources.slice(0, sourcesMax).map(({ nodeId, address }) => ({ nodeId, address }));
  if (sources.length === 0) throw invalid("an order to fetch names at least one source");
  return { chunk, sources, bytesPerSecondMax: safeInteger(wire.bytesPerSecondMax) };
}
