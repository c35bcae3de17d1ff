import type { KeyValueChange, KeyValueStore } from "@holdfast/runtime";
import { WriteBuffer } from "../../application/write-buffer.ts";
import { addDigests, bucketOf, copyDigest } from "../../domain/chunks/inventory-digest.ts";
import { noteCopySet } from "../../domain/chunks/node-copy-sets.ts";
import { mix } from "../../domain/chunks/placement/draw.ts";
import { placementPartners } from "../../domain/chunks/placement/plan.ts";
import {
  chunkTable,
  copySetChunkTable,
  copySetKey,
  copySetTable,
  inventoryBucketCount,
  nodeBucketTable,
  type ChunkRow,
} from "../../domain/chunks/tables.ts";
import { evolve } from "../../domain/evolve.ts";
import type { DomainEvent } from "../../domain/events.ts";
import type { PlacementNode } from "../../domain/fleet/placement-nodes.ts";
import { noteId } from "../../domain/state.ts";
import { tableKey, tablesOf } from "../../domain/tables.ts";

/** How large the cluster is. */
export interface ScaleSize {
  readonly nodeCount: number;
  readonly chunkCount: number;
  readonly zoneCount: number;
}

/** What every node's inventory amounts to, bucket by bucket: what the simulated nodes report. */
export interface ScaleInventories {
  /** By (node id - 1) * 256 + bucket. */
  readonly digests: Float64Array;
  readonly counts: Uint32Array;
  readonly setCount: number;
}

/** Bytes of every chunk. */
export const scaleChunkBytes = 4 << 20;
/** Bytes that every node may use. */
export const scaleCapacityBytes = 2 ** 40;
/** Chunks written in one batch. */
const batchChunks = 10_000;

/** The name of a simulated node; its identity is its id, padded. */
export function scaleNodeUuid(nodeId: number): string {
  return `${nodeId}`.padStart(32, "0");
}

/** Its failure domain. */
export function scaleZone(nodeId: number, zoneCount: number): string {
  return `zone-${nodeId % zoneCount}`;
}

/**
 * A cluster's tables as its log would have left them: nodes, chunks with three copies each, their sets and expected
 * inventories. Written row by row, because ten million chunks through events would take as long as writing them did.
 */
export async function fillStore(store: KeyValueStore, size: ScaleSize): Promise<ScaleInventories> {
  await joinNodes(store, size);
  const filling = new Filling(size);
  for (let chunkId = 1; chunkId <= size.chunkCount;) {
    const changes: KeyValueChange[] = [];
    for (const end = chunkId + batchChunks; chunkId < end && chunkId <= size.chunkCount; chunkId++)
      filling.addChunk(chunkId, changes);
    await store.write(changes);
  }
  await filling.finish(store);
  return filling.inventories();
}

async function joinNodes(store: KeyValueStore, { nodeCount, zoneCount }: ScaleSize): Promise<void> {
  const buffer = new WriteBuffer(store);
  const tables = tablesOf(buffer);
  const cluster = { clusterId: "c".repeat(32), chunkSizeBytes: scaleChunkBytes, replication: 3 };
  const fold = (event: DomainEvent): void => evolve(tables, event, { index: 1, atMs: 1, actor: "bench" });
  fold({ kind: "clusterInitialised", ...cluster });
  for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
    const names = { nodeUuid: scaleNodeUuid(nodeId), name: `node-${nodeId}`, address: `10.0.0.1:${nodeId}` };
    const place = { ip: "10.0.0.1", mac: "02:00:00:00:00:01", zone: scaleZone(nodeId, zoneCount), rack: "" };
    fold({ kind: "nodeJoined", nodeId, ...names, ...place, capacityBytes: scaleCapacityBytes, joinTokenId: 0 });
  }
  await store.write(buffer.changes());
}

class Filling {
  readonly #size: ScaleSize;
  readonly #partners: readonly (readonly number[])[];
  readonly #digests: Float64Array;
  readonly #counts: Uint32Array;
  readonly #sets = new Map<string, number>();

  constructor(size: ScaleSize) {
    this.#size = size;
    const nodes = Array.from({ length: size.nodeCount }, (_, index) => placementNode(index + 1, size));
    this.#partners = nodes.map((node) => placementPartners(node, nodes).map((partner) => partner.nodeId));
    this.#digests = new Float64Array(size.nodeCount * inventoryBucketCount);
    this.#counts = new Uint32Array(size.nodeCount * inventoryBucketCount);
  }

  addChunk(chunkId: number, changes: KeyValueChange[]): void {
    const nodeIds = this.#places(chunkId);
    const key = copySetKey(nodeIds);
    const row: ChunkRow = {
      ...{ generation: 1, lengthBytes: scaleChunkBytes, sha256: new Uint8Array(32).fill(chunkId % 256) },
      ...{ placedNodeIds: nodeIds, confirmedNodeIds: nodeIds, corruptNodeIds: [] },
      ...{ holderUploadId: "", holderEntryId: 1 + Math.floor(chunkId / 8), holderVersionId: 1 },
    };
    const { generation, lengthBytes } = row;
    changes.push(
      { key: tableKey(chunkTable, [chunkId]), value: chunkTable.value.encode(row) },
      {
        key: tableKey(copySetChunkTable, [key, bucketOf(chunkId), chunkId]),
        value: copySetChunkTable.value.encode({ generation, lengthBytes }),
      },
    );
    this.#sets.set(key, (this.#sets.get(key) ?? 0) + 1);
    const digest = copyDigest({ chunkId, generation, lengthBytes });
    for (const nodeId of nodeIds) {
      const at = (nodeId - 1) * inventoryBucketCount + bucketOf(chunkId);
      this.#digests[at] = addDigests(this.#digests[at] ?? 0, digest);
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    }
  }

  async finish(store: KeyValueStore): Promise<void> {
    const buffer = new WriteBuffer(store);
    const tables = tablesOf(buffer);
    noteId(tables, "chunk", this.#size.chunkCount);
    for (const [key, count] of this.#sets) {
      noteCopySet(tables, key);
      tables.set(copySetTable, [key], { chunkCount: count, heldCount: count, heldBytes: count * scaleChunkBytes });
    }
    for (let at = 0; at < this.#digests.length; at++) {
      const chunkCount = this.#counts[at] ?? 0;
      if (chunkCount === 0) continue;
      const key: [number, number] = [1 + Math.floor(at / inventoryBucketCount), at % inventoryBucketCount];
      tables.set(nodeBucketTable, key, { digest: this.#digests[at] ?? 0, chunkCount });
    }
    await store.write(buffer.changes());
  }

  inventories(): ScaleInventories {
    return { digests: this.#digests, counts: this.#counts, setCount: this.#sets.size };
  }

  /** As placement would: a first node, and two of its partners, in zones of their own when there are. */
  #places(chunkId: number): readonly number[] {
    const first = 1 + (mix(chunkId, 1) % this.#size.nodeCount);
    const partners = this.#partners[first - 1] ?? [];
    const second = partners[mix(chunkId, 2) % partners.length] ?? first;
    const others = partners.filter((nodeId) => nodeId !== second);
    const third = others[mix(chunkId, 3) % others.length] ?? first;
    return [first, second, third].toSorted((left, right) => left - right);
  }
}

function placementNode(nodeId: number, { zoneCount }: ScaleSize): PlacementNode {
  const names = { nodeId, name: `node-${nodeId}`, address: "", zone: scaleZone(nodeId, zoneCount), rack: "" };
  const room = { capacityBytes: scaleCapacityBytes, freeBytes: scaleCapacityBytes, isWritable: true };
  return { ...names, ...room, isActive: true, liveness: "live", activeWriteCount: 0, isCautioned: false };
}
