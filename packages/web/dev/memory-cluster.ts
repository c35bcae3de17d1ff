import { create } from "@bufbuild/protobuf";
import {
  GetClusterStatusResponseSchema,
  LoggedEventSchema,
  type GetClusterStatusResponse,
  type LoggedEvent,
} from "@holdfast/proto/master/v1/master";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";
import type { MemoryDrive } from "./memory-drive.ts";

const nodeCount = 4;

/** A made-up cluster around a memory drive: three masters, four nodes, one of which can be stopped. */
export class MemoryCluster {
  readonly #drive: MemoryDrive;
  readonly #nowMs: () => number;
  readonly #events: LoggedEvent[] = [];
  #deadNode = 0;
  #tick = 0;

  constructor(drive: MemoryDrive, nowMs: () => number) {
    this.#drive = drive;
    this.#nowMs = nowMs;
    for (let node = 1; node <= nodeCount; node++) this.note("NodeJoined", `node-${node} joined the cluster`);
    for (let node = 1; node <= nodeCount; node++) this.note("NodeUp", `node-${node} is live`);
  }

  /** Adds an event. */
  note(type: string, summary: string): void {
    this.#drive.index += 1;
    this.#events.unshift(
      create(LoggedEventSchema, {
        index: BigInt(this.#drive.index),
        atMs: BigInt(this.#nowMs()),
        actor: "system",
        type,
        summary,
      }),
    );
  }

  /** Stops a node (0: all live again). */
  setDeadNode(node: number): void {
    this.note(
      node === 0 ? "NodeUp" : "NodeDown",
      node === 0 ? `node-${this.#deadNode} is live again` : `node-${node} was not heard for 10 s`,
    );
    this.#deadNode = node;
  }

  /** Newest first, before an index (0: newest). */
  events(beforeIndex: bigint, limit: number): LoggedEvent[] {
    return this.#events
      .filter((event) => beforeIndex === 0n || event.index < beforeIndex)
      .slice(0, limit === 0 ? 100 : limit);
  }

  /** The cluster now. */
  status(): GetClusterStatusResponse {
    this.#tick += 1;
    let fileCount = 0n;
    let fileBytes = 0n;
    for (const entry of this.#drive.entries.values()) {
      if (entry.versionId >= 0n && entry.sizeBytes > 0n) fileCount += 1n;
      fileBytes += entry.sizeBytes;
    }
    const chunkCount = fileBytes / 4_194_304n + fileCount;
    const index = BigInt(this.#drive.index);
    const perNode = (fileBytes * 3n) / BigInt(nodeCount);
    const under = this.#deadNode === 0 ? 0n : (chunkCount * 3n) / 4n;
    return create(GetClusterStatusResponseSchema, {
      masters: [1, 2, 3].map((id) => ({
        masterId: id,
        name: `master-${id}`,
        role: id === 1 ? "leader" : "follower",
        term: 4n,
        appliedIndex: index - (id === 3 ? 1n : 0n),
        commitIndex: index,
        address: `127.0.0.1:700${id}`,
      })),
      nodes: Array.from({ length: nodeCount }, (_, position) => {
        const id = position + 1;
        const isDead = id === this.#deadNode;
        const wobble = BigInt(id * 37_000_000);
        return {
          nodeId: id,
          name: `node-${id}`,
          address: `127.0.0.1:710${id}`,
          liveness: isDead ? Liveness.DEAD : Liveness.LIVE,
          intent: id === 4 ? Intent.DRAINING : Intent.ACTIVE,
          chunkCount: (chunkCount * 3n) / BigInt(nodeCount),
          usedBytes: perNode + wobble,
          capacityBytes: 1_000_000_000_000n,
          freeBytes: 1_000_000_000_000n - perNode - wobble,
          ip: `192.168.10.2${id}`,
          mac: `02:42:ac:11:00:0${id}`,
          heartbeatAgeMs: isDead ? 134_000n : BigInt((this.#tick * 170 + id * 210) % 1000),
          zone: "default",
          incarnation: `i${id}`,
        };
      }),
      chunks: { total: chunkCount, healthy: chunkCount - under, under, over: 0n, missing: 0n, corrupt: 0n },
      files: { total: fileCount, bytes: fileBytes },
      clusterId: "memory",
      replication: 3,
      chunkSizeBytes: 4_194_304,
      index,
      writeCopiesMin: 2,
    });
  }
}
