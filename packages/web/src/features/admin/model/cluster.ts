import { safeInteger } from "@holdfast/base";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";

/** A chunkserver as the page shows it. */
export interface ClusterNode {
  readonly name: string;
  readonly liveness: "live" | "suspect" | "dead" | "unknown";
  readonly intent: "active" | "draining" | "drained" | "maintenance" | "removed" | "failed";
  readonly chunkCount: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly ip: string;
  readonly mac: string;
  readonly heartbeatAgeMs: number;
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
      name: node.name,
      liveness: livenessWords[node.liveness] ?? "unknown",
      intent: intentWords[node.intent] ?? "active",
      chunkCount: count(node.chunkCount),
      usedBytes: count(node.usedBytes),
      capacityBytes: count(node.capacityBytes),
      ip: node.ip,
      mac: node.mac,
      heartbeatAgeMs: count(node.heartbeatAgeMs),
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
  };
}
