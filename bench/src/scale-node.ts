import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { AsyncQueue, encodeBucketDigests, isHoldfastError } from "@holdfast/base";
import {
  addDigests,
  bucketOf,
  copyDigest,
  scaleCapacityBytes,
  scaleChunkBytes,
  scaleNodeUuid,
  scaleZone,
  subtractDigest,
} from "@holdfast/master/testing/scale";
import {
  FleetService,
  HeartbeatRequestSchema,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from "@holdfast/proto/master/v1/master";
import type { Network } from "@holdfast/rpc";
import type { NodesPlace } from "./scale-fleet.ts";

const bucketCount = 256;
const generation = 1;
const lengthBytes = scaleChunkBytes;
/** A fetched copy is there after so long. */
const fetchMs = 200;
const reportIntervalMs = 1000;

interface Copy {
  readonly chunkId: bigint;
  readonly generation: number;
  readonly lengthBytes: number;
}

/** What the nodes of one process share. */
export interface ScaleNodeShared extends NodesPlace {
  /** Nodes that the fill gave a copy of a chunk, ascending. */
  readonly nodeIdsOf: (chunkId: number) => readonly number[];
  /** What the fill put into a bucket of a node, ascending. */
  readonly chunkIdsIn: (nodeId: number, bucket: number) => readonly number[];
  readonly counts: NodeCounts;
}

/** What happened to all nodes together. */
export interface NodeCounts {
  brokenStreams: number;
  refused: number;
  fetched: number;
  trimmed: number;
  listedBuckets: number;
}

/** A chunkserver as a leader sees it: reports once a second, digests every tenth time, fetches and removes at once. */
export class ScaleNode {
  readonly #nodeId: number;
  readonly #shared: ScaleNodeShared;
  /** Differences from what the fill put there. */
  readonly #changed = new Map<number, boolean>();
  #requests = new AsyncQueue<HeartbeatRequest>();
  #added: Copy[] = [];
  #trimmed: Copy[] = [];
  #corrupt: Copy[] = [];
  #listed: { readonly bucket: number; readonly chunks: Copy[] }[] = [];
  #sequence = 0;
  /** Counts the runs: what belongs to an earlier one ends. */
  #run = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(nodeId: number, shared: ScaleNodeShared) {
    this.#nodeId = nodeId;
    this.#shared = shared;
  }

  /** Joins the cluster with nothing on it, and leaves. */
  async join(network: Network): Promise<void> {
    const requests = new AsyncQueue<HeartbeatRequest>();
    requests.push(this.#request({ joinCredential: this.#shared.joinSecret, bucketDigests: new Uint8Array() }));
    for await (const { order } of network.client(FleetService, this.#shared.address).heartbeat(requests)) {
      if (order.case === "refused") throw new Error(order.value.reason);
      if (order.case !== "welcome") continue;
      if (order.value.nodeId !== this.#nodeId) throw new Error(`node ${this.#nodeId} became ${order.value.nodeId}`);
      break;
    }
    requests.end();
  }

  /** Reports until it is stopped; one stream after another, as a node's reporter does. */
  run(network: Network): void {
    this.#run += 1;
    const run = this.#run;
    const offsetMs = (this.#nodeId * 7919) % reportIntervalMs;
    setTimeout(() => {
      if (run !== this.#run) return;
      this.#timer = setInterval(() => this.#report(), reportIntervalMs);
      void this.#stream(network, run);
    }, offsetMs);
  }

  /** Falls silent: the process was killed, or the machine is gone. */
  stop(): void {
    this.#run += 1;
    clearInterval(this.#timer);
    this.#requests.end();
  }

  /** A scrub found so many copies damaged and put them aside. */
  damage(copiesMax: number): void {
    for (const chunkId of this.#some(copiesMax)) {
      this.#note(chunkId, false);
      this.#corrupt.push(copyOf(chunkId));
    }
  }

  /** Copies are gone, and nothing is said of it: only the digests tell. */
  lose(copiesMax: number): void {
    for (const chunkId of this.#some(copiesMax)) this.#note(chunkId, false);
  }

  async #stream(network: Network, run: number): Promise<void> {
    while (run === this.#run) {
      this.#requests = new AsyncQueue<HeartbeatRequest>();
      this.#report();
      try {
        for await (const order of network.client(FleetService, this.#shared.address).heartbeat(this.#requests)) {
          if (run !== this.#run) break;
          this.#obey(order);
        }
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
      }
      if (run !== this.#run) return;
      this.#shared.counts.brokenStreams += 1;
      await delay(reportIntervalMs);
    }
  }

  #obey({ order }: HeartbeatResponse): void {
    const { counts, chunkIdsIn } = this.#shared;
    if (order.case === "refused") counts.refused += 1;
    if (order.case === "replicate") {
      const chunkId = Number(order.value.chunkId);
      const run = this.#run;
      setTimeout(() => {
        if (run !== this.#run || !this.#note(chunkId, true)) return;
        this.#added.push(copyOf(chunkId));
        counts.fetched += 1;
      }, fetchMs);
    }
    if (order.case === "trim") {
      const chunkId = Number(order.value.chunkId);
      if (this.#note(chunkId, false)) counts.trimmed += 1;
      this.#trimmed.push(copyOf(chunkId));
    }
    if (order.case === "listBuckets") {
      for (const bucket of order.value.buckets) {
        const changed = [...this.#changed].filter(([chunkId]) => bucketOf(chunkId) === bucket);
        const filled = chunkIdsIn(this.#nodeId, bucket).filter((chunkId) => !this.#changed.has(chunkId));
        const added = changed.filter(([, isThere]) => isThere).map(([chunkId]) => chunkId);
        this.#listed.push({ bucket, chunks: [...filled, ...added].map(copyOf) });
        counts.listedBuckets += 1;
      }
    }
  }

  /** Some copies that the fill put here and that are still there, from many buckets; no other node chooses the same. */
  #some(copiesMax: number): readonly number[] {
    const { chunkIdsIn, nodeIdsOf } = this.#shared;
    const isChosen = (chunkId: number): boolean =>
      !this.#changed.has(chunkId) && nodeIdsOf(chunkId)[chunkId % 3] === this.#nodeId;
    const chunkIds: number[] = [];
    for (let bucket = this.#nodeId % 16; bucket < bucketCount && chunkIds.length < copiesMax; bucket += 16)
      for (const chunkId of chunkIdsIn(this.#nodeId, bucket).filter(isChosen).slice(0, 4)) chunkIds.push(chunkId);
    return chunkIds.slice(0, copiesMax);
  }

  /** A copy comes or goes; false when it has done so already. */
  #note(chunkId: number, isThere: boolean): boolean {
    const { digests, copyCounts } = this.#shared;
    const was = this.#changed.get(chunkId);
    // Without a word since the fill, only what was filled in is damaged, lost or trimmed, and only others are fetched.
    if ((was ?? !isThere) === isThere) return false;
    this.#changed.set(chunkId, isThere);
    const at = (this.#nodeId - 1) * bucketCount + bucketOf(chunkId);
    const digest = copyDigest({ chunkId, generation, lengthBytes });
    const before = digests[at] ?? 0;
    digests[at] = isThere ? addDigests(before, digest) : subtractDigest(before, digest);
    copyCounts[at] = (copyCounts[at] ?? 0) + (isThere ? 1 : -1);
    return true;
  }

  #report(): void {
    this.#sequence += 1;
    const first = (this.#nodeId - 1) * bucketCount;
    const isTurn = this.#sequence === 1 || this.#sequence % 10 === this.#nodeId % 10;
    const bucketDigests = isTurn
      ? encodeBucketDigests(this.#shared.digests.subarray(first, first + bucketCount))
      : new Uint8Array();
    this.#requests.push(this.#request({ joinCredential: "", bucketDigests }));
  }

  #request(fields: { joinCredential: string; bucketDigests: Uint8Array }) {
    const nodeId = this.#nodeId;
    const { copyCounts, zoneCount } = this.#shared;
    const own = copyCounts.subarray((nodeId - 1) * bucketCount, nodeId * bucketCount);
    const chunkCount = own.reduce((sum, count) => sum + count, 0);
    const usedBytes = BigInt(chunkCount) * BigInt(lengthBytes);
    const capacityBytes = BigInt(scaleCapacityBytes);
    const request = create(HeartbeatRequestSchema, {
      ...fields,
      ...{ nodeUuid: scaleNodeUuid(nodeId), name: `node-${nodeId}`, address: `10.0.0.1:${nodeId}` },
      ...{ ip: "10.0.0.1", mac: "02:00:00:00:00:01", zone: scaleZone(nodeId, zoneCount) },
      ...{ incarnation: scaleNodeUuid(nodeId), sequence: BigInt(this.#sequence) },
      ...{ capacityBytes, usedBytes, freeBytes: capacityBytes - usedBytes, diskState: "ok" },
      ...{ chunkCount: BigInt(chunkCount), added: this.#added, trimmed: this.#trimmed },
      ...{ corrupt: this.#corrupt, listed: this.#listed },
    });
    this.#added = [];
    this.#trimmed = [];
    this.#corrupt = [];
    this.#listed = [];
    return request;
  }
}

function copyOf(chunkId: number): Copy {
  return { chunkId: BigInt(chunkId), generation, lengthBytes };
}
