import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { AsyncQueue, isHoldfastError } from "@holdfast/base";
import {
  addDigests,
  bucketOf,
  copyDigest,
  scaleCapacityBytes,
  scaleNodeUuid,
  scaleZone,
  subtractDigest,
} from "@holdfast/master/testing/scale";
import { createMetrics, silentLogger } from "@holdfast/observability";
import {
  FleetService,
  HeartbeatRequestSchema,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from "@holdfast/proto/master/v1/master";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";

const bucketCount = 256;
/** A fetched copy is there after so long. */
const fetchMs = 200;

/** What the parent says first. */
export interface NodesStart {
  readonly address: string;
  readonly nodeCount: number;
  readonly zoneCount: number;
  readonly digests: Float64Array;
  readonly counts: Uint32Array;
}

interface Copy {
  readonly chunkId: bigint;
  readonly generation: number;
  readonly lengthBytes: number;
}

/** A chunkserver as a leader sees it: reports once a second, digests every tenth time, fetches and removes at once. */
class SimulatedNode {
  readonly #nodeId: number;
  readonly #start: NodesStart;
  #requests = new AsyncQueue<HeartbeatRequest>();
  #added: Copy[] = [];
  #trimmed: Copy[] = [];
  #sequence = 0;
  #isDead = false;

  constructor(nodeId: number, start: NodesStart) {
    this.#nodeId = nodeId;
    this.#start = start;
  }

  run(network: ReturnType<typeof createGrpcNetwork>): void {
    const offsetMs = (this.#nodeId * 1000) / this.#start.nodeCount;
    setTimeout(() => {
      setInterval(() => this.#report(), 1000);
      void this.#read(network);
    }, offsetMs);
  }

  die(): void {
    this.#isDead = true;
  }

  /** One stream after another, as a node's reporter does. */
  async #read(network: ReturnType<typeof createGrpcNetwork>): Promise<void> {
    while (!this.#isDead) {
      this.#requests = new AsyncQueue<HeartbeatRequest>();
      this.#report();
      try {
        for await (const order of network.client(FleetService, this.#start.address).heartbeat(this.#requests))
          this.#obey(order);
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        brokenStreams += 1;
      }
      await delay(1000);
    }
  }

  #obey({ order }: HeartbeatResponse): void {
    if (this.#isDead) return;
    if (order.case === "refused") console.error(`node ${this.#nodeId} was refused: ${order.value.reason}`);
    if (order.case === "replicate") {
      const { chunkId, generation, lengthBytes } = order.value;
      setTimeout(() => this.#note({ chunkId, generation, lengthBytes }, this.#added), fetchMs);
    }
    if (order.case === "trim") this.#note({ ...order.value, lengthBytes: 4 << 20 }, this.#trimmed);
  }

  #note(copy: Copy, list: Copy[]): void {
    if ([...this.#added, ...this.#trimmed].some((other) => other.chunkId === copy.chunkId)) return;
    list.push(copy);
    const chunkId = Number(copy.chunkId);
    const at = (this.#nodeId - 1) * bucketCount + bucketOf(chunkId);
    const isMore = list === this.#added;
    const digest = copyDigest({ ...copy, chunkId });
    const before = this.#start.digests[at] ?? 0;
    this.#start.digests[at] = isMore ? addDigests(before, digest) : subtractDigest(before, digest);
    this.#start.counts[at] = (this.#start.counts[at] ?? 0) + (isMore ? 1 : -1);
  }

  #report(): void {
    if (this.#isDead) return;
    const { digests, counts, zoneCount } = this.#start;
    const first = (this.#nodeId - 1) * bucketCount;
    const own = counts.subarray(first, first + bucketCount);
    const chunkCount = own.reduce((sum, count) => sum + count, 0);
    const usedBytes = BigInt(chunkCount) * BigInt(4 << 20);
    const buckets = Array.from({ length: bucketCount }, (_, bucket) => {
      return { bucket, digest: BigInt(digests[first + bucket] ?? 0), chunkCount: own[bucket] ?? 0 };
    });
    this.#sequence += 1;
    const names = {
      nodeUuid: scaleNodeUuid(this.#nodeId),
      name: `node-${this.#nodeId}`,
      address: `10.0.0.1:${this.#nodeId}`,
    };
    const place = { ip: "10.0.0.1", mac: "02:00:00:00:00:01", zone: scaleZone(this.#nodeId, zoneCount) };
    const capacityBytes = BigInt(scaleCapacityBytes);
    this.#requests.push(
      create(HeartbeatRequestSchema, {
        ...{ ...names, ...place, incarnation: scaleNodeUuid(this.#nodeId), sequence: BigInt(this.#sequence) },
        ...{ capacityBytes, usedBytes, freeBytes: capacityBytes - usedBytes, diskState: "ok" },
        ...{ chunkCount: BigInt(chunkCount), added: this.#added, trimmed: this.#trimmed },
        buckets: this.#sequence % 10 === this.#nodeId % 10 ? buckets : [],
      }),
    );
    this.#added = [];
    this.#trimmed = [];
  }
}

let brokenStreams = 0;
setInterval(() => {
  if (brokenStreams > 0) console.log(`${brokenStreams} streams broke and were opened anew`);
  brokenStreams = 0;
}, 10_000);

const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
const network = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
const nodes: SimulatedNode[] = [];

// Without its parent it has nobody to report to.
process.once("disconnect", () => process.exit());

process.on("message", (message: NodesStart | { readonly die: number }) => {
  if ("die" in message) {
    nodes[message.die - 1]?.die();
    return;
  }
  for (let nodeId = 1; nodeId <= message.nodeCount; nodeId++) {
    const node = new SimulatedNode(nodeId, message);
    nodes.push(node);
    node.run(network);
  }
});
