import { create } from "@bufbuild/protobuf";
import { AsyncQueue, encodeBucketDigests, isHoldfastError, toHex } from "@holdfast/base";
import {
  FleetService,
  HeartbeatRequestSchema,
  type DrillOrder,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type ReplicateChunk,
} from "@holdfast/proto/master/v1/master";
import type { SimProcess } from "@holdfast/runtime/sim";
import type { HeldCopy } from "../src/domain/chunks/decide-replicas.ts";
import { addDigests, bucketOf, copyDigest } from "../src/domain/chunks/inventory-digest.ts";
import { addressOf, type SimMasters } from "./sim-masters.ts";

/** A chunkserver as masters see it: an inventory, reports, and obedience. Without bytes. */
export class FakeNode {
  readonly name: string;
  readonly inventory = new Map<number, HeldCopy>();
  /** What the masters said last. */
  nodeId = 0;
  refusal: string | undefined;
  trimmedIds: number[] = [];
  listedBucketCount = 0;
  /** Changes of the next reports. */
  reported: { added: HeldCopy[]; corrupt: HeldCopy[]; trimmed: HeldCopy[] } = { added: [], corrupt: [], trimmed: [] };
  obeysTrims = true;
  /** Whom it can fetch from; it fetches only when told. */
  peers: readonly FakeNode[] = [];
  fetchMs = 200;
  capacityBytes = 1 << 30;
  zone = "";
  joinCredential = "";
  /** What it says of its speed, in 0.1 ms. */
  latency = { writeP95TenthMs: 0, readP95TenthMs: 0 };
  /** What the leader said last of the drills that shall run here. */
  drills: readonly DrillOrder[] = [];
  /** Whether it takes drills up, and says so. */
  obeysDrills = true;
  isAlive = false;
  uuid: string;
  address: string;
  clusterId = "";
  readonly #masters: SimMasters;
  readonly #fetching = new Set<number>();
  #process: SimProcess | undefined;
  #abort = new AbortController();

  constructor(masters: SimMasters, number: number) {
    this.#masters = masters;
    this.name = `node-${number}`;
    this.uuid = `${number}`.padStart(32, "0");
    this.address = `${this.name}:8000`;
  }

  /** Starts a process that reports until it is killed. */
  start(): void {
    const { process, network } = this.#masters.processOn(this.name);
    this.#process = process;
    this.isAlive = true;
    this.#abort = new AbortController();
    const incarnation = toHex(process.random.bytes(16));
    let sequence = 0;
    const run = async (): Promise<void> => {
      for (let turn = 0; process.isAlive; turn++) {
        const master = this.#masters.ids[turn % this.#masters.ids.length] ?? 1;
        const requests = new AsyncQueue<HeartbeatRequest>();
        let reportCount = 0;
        const report = (listed: readonly number[] = []): void => {
          requests.push(
            this.#report({ incarnation, sequence: (sequence += 1), withDigests: reportCount++ % 10 === 0, listed }),
          );
        };
        report();
        const beat = process.timers.every(1000, () => report());
        try {
          const { signal } = this.#abort;
          for await (const order of network.client(FleetService, addressOf(master)).heartbeat(requests, { signal }))
            this.#obey(order, report);
        } catch (error) {
          if (!isHoldfastError(error)) throw error;
        }
        beat.cancel();
        requests.end();
        await process.timers.sleep(100);
      }
    };
    void run();
  }

  kill(): void {
    this.isAlive = false;
    this.#process?.crash();
  }

  add(copy: HeldCopy): void {
    this.inventory.set(copy.chunkId, copy);
    this.reported.added.push(copy);
  }

  #obey({ order }: HeartbeatResponse, report: (listed?: readonly number[]) => void): void {
    if (order.case === "welcome") {
      this.nodeId = order.value.nodeId;
      this.clusterId = order.value.clusterId;
      this.refusal = undefined;
    }
    if (order.case === "refused") this.refusal = order.value.reason;
    if (order.case === "listBuckets") {
      this.listedBucketCount += order.value.buckets.length;
      report(order.value.buckets);
    }
    if (order.case === "drills" && this.obeysDrills) this.drills = order.value.drills;
    if (order.case === "replicate") this.#fetch(order.value);
    if (order.case === "trim" && this.obeysTrims) {
      const { chunkId, generation } = order.value;
      const copy = this.inventory.get(Number(chunkId)) ?? { chunkId: Number(chunkId), generation, lengthBytes: 0 };
      this.inventory.delete(Number(chunkId));
      this.trimmedIds.push(Number(chunkId));
      this.reported.trimmed.push(copy);
    }
  }

  #fetch({ chunkId: wireId, generation, lengthBytes, sources }: ReplicateChunk): void {
    const chunkId = Number(wireId);
    if (this.inventory.has(chunkId) || this.#fetching.has(chunkId)) return;
    const source = this.peers.find(
      (peer) => sources.some(({ address }) => address === peer.address) && peer.isAlive && peer.inventory.has(chunkId),
    );
    if (source === undefined) return;
    this.#fetching.add(chunkId);
    this.#process?.timers.after(this.fetchMs, () => {
      this.#fetching.delete(chunkId);
      if (source.isAlive && source.inventory.has(chunkId)) this.add({ chunkId, generation, lengthBytes });
    });
  }

  #report(options: {
    incarnation: string;
    sequence: number;
    withDigests: boolean;
    listed: readonly number[];
  }): HeartbeatRequest {
    const wire = ({ chunkId, generation, lengthBytes }: HeldCopy) => ({
      chunkId: BigInt(chunkId),
      generation,
      lengthBytes,
    });
    const { added, corrupt, trimmed } = this.reported;
    this.reported = { added: [], corrupt: [], trimmed: [] };
    const copies = [...this.inventory.values()];
    const inBucket = (bucket: number): HeldCopy[] => copies.filter((copy) => bucketOf(copy.chunkId) === bucket);
    const digestOf = (bucket: number): number => inBucket(bucket).map(copyDigest).reduce(addDigests, 0);
    const capacityBytes = BigInt(this.capacityBytes);
    const usedBytes = BigInt(copies.reduce((sum, copy) => sum + copy.lengthBytes, 0));
    const capacity = { capacityBytes, usedBytes, freeBytes: capacityBytes - usedBytes, diskState: "ok" };
    return create(HeartbeatRequestSchema, {
      ...{
        nodeUuid: this.uuid,
        clusterId: this.clusterId,
        name: this.name,
        zone: this.zone,
        rack: "r1",
        address: this.address,
        joinCredential: this.clusterId === "" ? this.joinCredential : "",
        disks: [{ path: "/data", state: "ok", capacityBytes: 7n, usedBytes: 3n }],
        latency: this.latency,
        drillIds: this.drills.map((drill) => drill.drillId),
        ip: "10.0.0.1",
        mac: "02:00:00:00:00:01",
      },
      ...{ incarnation: options.incarnation, sequence: BigInt(options.sequence), chunkCount: BigInt(copies.length) },
      ...capacity,
      added: added.map(wire),
      corrupt: corrupt.map(wire),
      trimmed: trimmed.map(wire),
      bucketDigests: options.withDigests
        ? encodeBucketDigests(Array.from({ length: 256 }, (_, bucket) => digestOf(bucket)))
        : new Uint8Array(),
      listed: options.listed.map((bucket) => ({ bucket, chunks: inBucket(bucket).map(wire) })),
    });
  }
}
