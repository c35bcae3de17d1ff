import { addDigests, bucketOf, copyDigest } from "../../domain/chunks/inventory-digest.ts";
import { mix } from "../../domain/chunks/placement/draw.ts";
import { placementPartners } from "../../domain/chunks/placement/plan.ts";
import { copySetKey, inventoryBucketCount } from "../../domain/chunks/tables.ts";
import type { PlacementNode } from "../../domain/fleet/placement-nodes.ts";
import { scaleCapacityBytes, scaleChunkBytes, scaleZone, type ScaleSize } from "./scale-size.ts";

/** What every node's inventory amounts to, bucket by bucket: what the simulated nodes report. */
export interface ScaleInventories {
  /** By (node id - 1) * 256 + bucket. */
  readonly digests: Float64Array;
  readonly counts: Uint32Array;
}

/** Where the copies of a large cluster are: three a chunk, on a node and two of its partners, as placement would draw. */
export class ScaleCopies {
  readonly size: ScaleSize;
  readonly #partners: readonly (readonly number[])[];

  constructor(size: ScaleSize) {
    this.size = size;
    const nodes = Array.from({ length: size.nodeCount }, (_, index) => placementNode(index + 1, size));
    this.#partners = nodes.map((node) => placementPartners(node, nodes).map((partner) => partner.nodeId));
  }

  /** Nodes with a copy of a chunk, ascending. */
  nodeIdsOf(chunkId: number): readonly number[] {
    const first = 1 + (mix(chunkId, 1) % this.size.nodeCount);
    const partners = this.#partners[first - 1] ?? [];
    const count = partners.length;
    const position = mix(chunkId, 2) % count;
    const second = partners[position] ?? first;
    const third = partners[(position + 1 + (mix(chunkId, 3) % (count - 1))) % count] ?? first;
    return [first, second, third].sort((left, right) => left - right);
  }

  /** The chunks of one bucket of a node, ascending: what it lists when it is asked. */
  chunkIdsIn(nodeId: number, bucket: number): readonly number[] {
    const chunkIds: number[] = [];
    const first = bucket === 0 ? inventoryBucketCount : bucket;
    for (let chunkId = first; chunkId <= this.size.chunkCount; chunkId += inventoryBucketCount)
      if (this.nodeIdsOf(chunkId).includes(nodeId)) chunkIds.push(chunkId);
    return chunkIds;
  }

  /** Copy sets in the order in which their first chunks come, and each chunk's set. */
  sets(): ScaleSets {
    const { chunkCount } = this.size;
    const keys: string[] = [];
    const counts: number[] = [];
    const positions = new Map<string, number>();
    const ofChunk = new Uint32Array(chunkCount + 1);
    for (let chunkId = 1; chunkId <= chunkCount; chunkId++) {
      const key = copySetKey(this.nodeIdsOf(chunkId));
      const position = positions.get(key) ?? keys.length;
      if (position === keys.length) {
        positions.set(key, position);
        keys.push(key);
        counts.push(0);
      }
      counts[position] = (counts[position] ?? 0) + 1;
      ofChunk[chunkId] = position;
    }
    return { keys, counts, ofChunk };
  }

  inventories(): ScaleInventories {
    const { nodeCount, chunkCount } = this.size;
    const digests = new Float64Array(nodeCount * inventoryBucketCount);
    const counts = new Uint32Array(nodeCount * inventoryBucketCount);
    for (let chunkId = 1; chunkId <= chunkCount; chunkId++) {
      const digest = copyDigest({ chunkId, generation: 1, lengthBytes: scaleChunkBytes });
      for (const nodeId of this.nodeIdsOf(chunkId)) {
        const at = (nodeId - 1) * inventoryBucketCount + bucketOf(chunkId);
        digests[at] = addDigests(digests[at] ?? 0, digest);
        counts[at] = (counts[at] ?? 0) + 1;
      }
    }
    return { digests, counts };
  }
}

/** The copy sets of all chunks. */
export interface ScaleSets {
  readonly keys: readonly string[];
  /** Chunks of each. */
  readonly counts: readonly number[];
  /** By chunk id, the position of its set. */
  readonly ofChunk: Uint32Array;
}

function placementNode(nodeId: number, { zoneCount }: ScaleSize): PlacementNode {
  const names = { nodeId, name: `node-${nodeId}`, address: "", zone: scaleZone(nodeId, zoneCount), rack: "" };
  const room = { capacityBytes: scaleCapacityBytes, freeBytes: scaleCapacityBytes, isWritable: true };
  return { ...names, ...room, isActive: true, liveness: "live", activeWriteCount: 0, isCautioned: false };
}
