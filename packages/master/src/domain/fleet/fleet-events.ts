/** Facts about nodes, what they are ordered to do, join tokens and drills; see `domain/events.ts`. */
export type FleetFact =
  | NodeJoined
  | NodeReported
  | NodeDown
  | NodeUp
  | NodeDraining
  | NodeDrained
  | NodeActivated
  | MaintenanceStarted
  | NodeFailed
  | NodeRemoved
  | NodeReplaced
  | NodeLabelled
  | ReplicationChanged
  | HousekeepingChanged
  | JoinTokenIssued
  | JoinTokenRevoked
  | DrillStarted
  | DrillEnded;

interface NodeJoined {
  readonly kind: "nodeJoined";
  readonly nodeId: number;
  readonly nodeUuid: string;
  readonly name: string;
  readonly address: string;
  readonly ip: string;
  readonly mac: string;
  readonly capacityBytes: number;
  readonly zone: string;
  readonly rack: string;
  readonly joinTokenId: number;
}
interface NodeReported {
  readonly kind: "nodeReported";
  readonly nodeId: number;
  readonly address: string;
  readonly ip: string;
  readonly mac: string;
  readonly capacityBytes: number;
}
interface NodeDown {
  readonly kind: "nodeDown";
  readonly nodeId: number;
  readonly reason: string;
  readonly drillId: number;
}
interface NodeUp {
  readonly kind: "nodeUp";
  readonly nodeId: number;
}
interface NodeDraining {
  readonly kind: "nodeDraining";
  readonly nodeId: number;
  readonly reason: string;
  readonly copiesTotal: number;
}
interface NodeDrained {
  readonly kind: "nodeDrained";
  readonly nodeId: number;
}
interface NodeActivated {
  readonly kind: "nodeActivated";
  readonly nodeId: number;
  /** "cancelled", "maintenance-over", "readmitted". */
  readonly reason: string;
}
interface MaintenanceStarted {
  readonly kind: "maintenanceStarted";
  readonly nodeId: number;
  readonly endsAtMs: number;
  readonly reason: string;
}
interface NodeFailed {
  readonly kind: "nodeFailed";
  readonly nodeId: number;
  readonly reason: string;
}
interface NodeRemoved {
  readonly kind: "nodeRemoved";
  readonly nodeId: number;
  readonly copiesLeft: number;
}
interface NodeReplaced {
  readonly kind: "nodeReplaced";
  readonly nodeId: number;
  readonly byNodeId: number;
  readonly retiredName: string;
  readonly copiesTotal: number;
}
interface NodeLabelled {
  readonly kind: "nodeLabelled";
  readonly nodeId: number;
  readonly zone: string;
  readonly rack: string;
}
interface ReplicationChanged {
  readonly kind: "replicationChanged";
  readonly replication: number;
}
interface HousekeepingChanged {
  readonly kind: "housekeepingChanged";
  readonly isBalancePaused: boolean;
  readonly isRepairPaused: boolean;
  readonly isMassLossAccepted: boolean;
}
interface JoinTokenIssued {
  readonly kind: "joinTokenIssued";
  readonly joinTokenId: number;
  readonly tokenSha256: Uint8Array;
  readonly expiresAtMs: number;
  readonly label: string;
  /** 0 = nobody. */
  readonly replacesNodeId: number;
}
interface JoinTokenRevoked {
  readonly kind: "joinTokenRevoked";
  readonly joinTokenId: number;
  /** "revoked" or "expired". */
  readonly reason: string;
}
interface DrillStarted {
  readonly kind: "drillStarted";
  readonly drillId: number;
  readonly nodeId: number;
  /** "stop", "partition", "slow", "corrupt". */
  readonly drillKind: string;
  readonly endsAtMs: number;
  readonly delayMs: number;
  /** Of "corrupt"; else 0. */
  readonly chunkId: number;
}
interface DrillEnded {
  readonly kind: "drillEnded";
  readonly drillId: number;
  /** "stopped" or "expired". */
  readonly reason: string;
}
