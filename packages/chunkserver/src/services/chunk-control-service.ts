import { create } from "@bufbuild/protobuf";
import { isHoldfastError } from "@holdfast/base";
import { GetNodeStatusResponseSchema, StatChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { ChunkControlService } from "@holdfast/proto/chunk/v1/chunk";
import type { ServiceHandlers } from "@holdfast/rpc";
import type { NodeFacts } from "../identity/node-identity.ts";
import type { ChunkFacts, ChunkKey, ChunkStore } from "../store/chunk-store.ts";
import { checkCluster, chunkKeyFromWire } from "./chunk-requests-from-wire.ts";

/** What the control service works with. */
export interface ChunkControlServiceOptions {
  readonly store: ChunkStore;
  readonly node: () => NodeFacts;
}

/** Small questions about this node. */
export function createChunkControlService(
  options: ChunkControlServiceOptions,
): ServiceHandlers<typeof ChunkControlService> {
  const { store, node } = options;
  return {
    async statChunk(request) {
      checkCluster(node().clusterId, request.clusterId);
      const facts = await wholeFacts(store, chunkKeyFromWire(request));
      if (facts === undefined) return create(StatChunkResponseSchema, { isPresent: false });
      return create(StatChunkResponseSchema, { isPresent: true, lengthBytes: facts.lengthBytes, sha256: facts.sha256 });
    },

    async getNodeStatus() {
      const { chunkCount, usedBytes, capacityBytes, diskState } = store.status();
      return create(GetNodeStatusResponseSchema, {
        ...node(),
        chunkCount: BigInt(chunkCount),
        usedBytes: BigInt(usedBytes),
        capacityBytes: BigInt(capacityBytes),
        diskState,
      });
    },
  };
}

async function wholeFacts(store: ChunkStore, key: ChunkKey): Promise<ChunkFacts | undefined> {
  try {
    return await store.facts(key);
  } catch (error) {
    if (isHoldfastError(error, "dataLoss")) return undefined;
    throw error;
  }
}
