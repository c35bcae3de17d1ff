import { safeInteger } from "@holdfast/base";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";

/** A chunkserver as the page shows it. */
export interface ClusterNode {
  readonly nodeId: number;
  readonly name: string;
  readonly liveness: "live" | "suspect" | "dead" | "unknown";
  readonly intent: "active" | "draining" | "drained" | "maintenance" | "removed" | "failed";
  readonly chunkCount: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly ip: string;
  readonly mac: string;
  readonly heartbeatAgeMs: number;
  readonly zone: string;
  readonly rack: string;
  /** Slow but alive, or held back after flapping; in words. */
  readonly caution: string;
  readonly diskState: string;
  readonly writeP95Ms: number;
  readonly readP95Ms: number;
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly hasDrill: boolean;
}

/** What is copied to make chunks whole. */
export interface Repair {
  readonly waitingCount: number;
  readonly activeCount: number;
  readonly bytesPerSecond: number;
  /** 0 = unknown or nothing to do. */
  readonly remainingMs: number;
  /** Why nothing is copied although there is work; else empty. */
  readonly stoppedReason: string;
}

/** A master as the page shows it. */
export interface ClusterMaster {
  readonly name: string;
  readonly role: string;
  readonly term: number;
  readonly appliedIndex: number;
  readonly commitIndex: number;
  readonly address: string;
}

/** The cluster at one moment. */
export interface Cluster {
  readonly masters: readonly ClusterMaster[];
  readonly nodes: readonly ClusterNode[];
  readonly chunks: {
    readonly total: number;
    readonly healthy: number;
    readonly under: number;
    readonly over: number;
    readonly missing: number;
    readonly corrupt: number;
  };
  readonly files: { readonly total: number; readonly bytes: number };
  readonly replication: number;
  readonly index: number;
  readonly repair: Repair;
}

const livenessWords: Readonly<Record<Liveness, ClusterNode["liveness"]>> = {
  [Liveness.UNSPECIFIED]: "unknown",
  [Liveness.LIVE]: "live",
  [Liveness.SUSPECT]: "suspect",
  [Liveness.DEAD]: "dead",
};

const intentWords: Readonly<Record<Intent, ClusterNode["intent"]>> = {
  [Intent.UNSPECIFIED]: "active",
  [Intent.ACTIVE]: "active",
  [Intent.DRAINING]: "draining",
  [Intent.DRAINED]: "drained",
  [Intent.MAINTENANCE]: "maintenance",
  [Intent.REMOVED]: "removed",
  [Intent.FAILED]: "failed",
};

/** From the wire, numbers checked once; an unknown state of a newer server reads as unknown. */
export function clusterFromWire(wire: GetClusterStatusResponse): Cluster {
  const count = (value: bigint | undefined) => safeInteger(value ?? 0n);
  const { chunks, files } = wire;
  return {
    masters: wire.masters.map((master) => ({
      name: master.name,
      role: master.role,
      term: count(master.term),
      appliedIndex: count(master.appliedIndex),
      commitIndex: count(master.commitIndex),
      address: master.address,
    })),
    nodes: wire.nodes.map((node) => ({
      nodeId: node.nodeId,
      name: node.name,
      liveness: livenessWords[node.liveness] ?? "unknown",
      intent: intentWords[node.intent] ?? "active",
      chunkCount: count(node.chunkCount),
      usedBytes: count(node.usedBytes),
      capacityBytes: count(node.capacityBytes),
      ip: node.ip,
      mac: node.mac,
      heartbeatAgeMs: count(node.heartbeatAgeMs),
      zone: node.zone,
      rack: node.rack,
      caution: node.caution === "" && node.isGray ? "slow" : node.caution,
      diskState: node.diskState,
      writeP95Ms: node.writeP95TenthMs / 10,
      readP95Ms: node.readP95TenthMs / 10,
      writeBytesPerSecond: count(node.writeBytesPerSecond),
      readBytesPerSecond: count(node.readBytesPerSecond),
      hasDrill: node.drillIds.length > 0,
    })),
    chunks: {
      total: count(chunks?.total),
      healthy: count(chunks?.healthy),
      under: count(chunks?.under),
      over: count(chunks?.over),
      missing: count(chunks?.missing),
      corrupt: count(chunks?.corrupt),
    },
    files: { total: count(files?.total), bytes: count(files?.bytes) },
    replication: wire.replication,
    index: count(wire.index),
    repair: {
      waitingCount: count(wire.repair?.waitingChunks),
      activeCount: count(wire.repair?.activeChunks),
      bytesPerSecond: count(wire.repair?.bytesPerSecond),
      remainingMs: count(wire.repair?.remainingMs),
      stoppedReason: wire.repair?.stoppedReason ?? "",
    },
  };
}
