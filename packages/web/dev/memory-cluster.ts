import { create } from "@bufbuild/protobuf";
import {
  GetClusterStatusResponseSchema,
  LoggedEventSchema,
  type GetClusterStatusResponse,
  type LoggedEvent,
} from "@holdfast/proto/master/v1/master";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";
import type { MemoryDrive } from "./memory-drive.ts";
import { MemoryFleet } from "./memory-fleet.ts";

/** A made-up cluster around a memory drive: three masters and a fleet that can be steered. */
export class MemoryCluster {
  readonly fleet: MemoryFleet;
  readonly #drive: MemoryDrive;
  readonly #nowMs: () => number;
  readonly #events: LoggedEvent[] = [];
  /** Chunks being copied, waiting, and why nothing goes on. */
  readonly repair = { activeChunks: 0n, waitingChunks: 0n, stoppedReason: "" };
  #tick = 0;

  constructor(drive: MemoryDrive, nowMs: () => number) {
    this.#drive = drive;
    this.#nowMs = nowMs;
    this.fleet = new MemoryFleet(nowMs, (type, summary, drillId) => this.note(type, summary, drillId));
    for (const { name } of this.fleet.nodes) this.note("NodeJoined", `${name} joined the cluster`);
    for (const { name } of this.fleet.nodes) this.note("NodeUp", `${name} is live`);
  }

  /** Adds an event. */
  note(type: string, summary: string, drillId = 0n): void {
    this.#drive.index += 1;
    this.#events.unshift(
      create(LoggedEventSchema, {
        index: BigInt(this.#drive.index),
        atMs: BigInt(this.#nowMs()),
        actor: "system",
        type,
        summary,
        drillId,
      }),
    );
  }

  /** Stops a node (0: all live again). */
  setDeadNode(nodeId: number): void {
    for (const node of this.fleet.nodes) {
      const isDead = node.nodeId === nodeId;
      if (isDead === (node.liveness === Liveness.DEAD)) continue;
      node.liveness = isDead ? Liveness.DEAD : Liveness.LIVE;
      this.note(
        isDead ? "NodeDown" : "NodeUp",
        isDead ? `${node.name} was not heard for 10 s` : `${node.name} is live again`,
      );
    }
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
    const nodes = this.fleet.nodes.filter((node) => node.intent !== Intent.REMOVED);
    const perNode = (fileBytes * 3n) / BigInt(nodes.length);
    for (const node of nodes) this.#observe(node, { perNode, chunkCount: (chunkCount * 3n) / BigInt(nodes.length) });
    const isShort = nodes.some((node) => node.liveness === Liveness.DEAD || node.intent === Intent.FAILED);
    const under = isShort ? (chunkCount * 3n) / 4n : 0n;
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
      nodes,
      chunks: { total: chunkCount, healthy: chunkCount - under, under, over: 0n, missing: 0n, corrupt: 0n },
      files: { total: fileCount, bytes: fileBytes },
      clusterId: "memory",
      replication: this.fleet.replication,
      chunkSizeBytes: 4_194_304,
      index,
      writeCopiesMin: 2,
      repair: isShort
        ? { waitingChunks: under - 8n, activeChunks: 8n, bytesPerSecond: 61_000_000n, remainingMs: 34_000n }
        : this.repair,
    });
  }

  #observe(node: MemoryFleet["nodes"][number], share: { readonly perNode: bigint; readonly chunkCount: bigint }): void {
    const isDead = node.liveness === Liveness.DEAD;
    node.usedBytes = share.perNode + BigInt(node.nodeId * 37_000_000_000);
    node.freeBytes = node.capacityBytes - node.usedBytes;
    node.chunkCount = share.chunkCount;
    node.heartbeatAgeMs = isDead ? 134_000n : BigInt((this.#tick * 170 + node.nodeId * 210) % 1000);
    node.writeBytesPerSecond = isDead ? 0n : BigInt(node.nodeId * 3_100_000);
    node.readBytesPerSecond = isDead ? 0n : BigInt(node.nodeId * 9_400_000);
  }
}
