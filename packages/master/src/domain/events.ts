import type { FleetFact } from "./fleet/fleet-events.ts";

/**
 * Everything that ever happened, in plain types: `holdfast.events.v1.Event` with `kind` = the name of the oneof case
 * and numbers for 64-bit integers. What each field means is said in the proto; `event-codec` converts and proves at
 * compile time that both agree.
 */
export type DomainEvent =
  | ClusterInitialised
  | UserCreated
  | UserPasswordChanged
  | UserReplaced
  | UserDisabled
  | SetupTokenIssued
  | SessionStarted
  | SessionEnded
  | FolderCreated
  | FileCreated
  | VersionCommitted
  | VersionPurged
  | EntryMoved
  | EntryTrashed
  | EntryRestored
  | EntryPurged
  | UploadStarted
  | UploadPartStored
  | UploadEnded
  | ChunksGranted
  | ChunkPlaced
  | ReplicaPlaced
  | ReplicaConfirmed
  | ReplicaLost
  | TrimOrdered
  | ReplicaTrimmed
  | FleetFact;

/** The names of all events. */
export type EventKind = DomainEvent["kind"];
/** The event of a name. */
export type EventOf<K extends EventKind> = Extract<DomainEvent, { readonly kind: K }>;

/** The facts that one command led to, as one log entry holds them. */
export interface EventBatch {
  /** Empty when no retry will ask for the outcome. */
  readonly requestId: string;
  readonly actor: string;
  /** Leader's wall clock, monotonic over the log. */
  readonly atMs: number;
  readonly events: readonly DomainEvent[];
  /** Encoded CommandOutcome, kept under `requestId`. */
  readonly outcome: Uint8Array;
  /** Place among the batches of one leader in one term, from 1. */
  readonly sequence: number;
}

export interface ClusterInitialised {
  readonly kind: "clusterInitialised";
  readonly clusterId: string;
  readonly chunkSizeBytes: number;
  readonly replication: number;
}
export interface UserCreated {
  readonly kind: "userCreated";
  readonly userId: number;
  readonly email: string;
  readonly passwordHash: string;
  readonly isAdmin: boolean;
  readonly rootEntryId: number;
  readonly phone: string;
  readonly channels: readonly string[];
}
export interface UserPasswordChanged {
  readonly kind: "userPasswordChanged";
  readonly userId: number;
  readonly passwordHash: string;
}
export interface UserReplaced {
  readonly kind: "userReplaced";
  readonly userId: number;
  readonly passwordHash: string;
  readonly isAdmin: boolean;
  readonly phone: string;
  readonly channels: readonly string[];
}
export interface UserDisabled {
  readonly kind: "userDisabled";
  readonly userId: number;
}
export interface SetupTokenIssued {
  readonly kind: "setupTokenIssued";
  readonly tokenSha256: Uint8Array;
  readonly expiresAtMs: number;
}
export interface SessionStarted {
  readonly kind: "sessionStarted";
  readonly tokenSha256: Uint8Array;
  readonly userId: number;
  readonly channel: string;
  readonly expiresAtMs: number;
  readonly client: string;
}
export interface SessionEnded {
  readonly kind: "sessionEnded";
  readonly tokenSha256: Uint8Array;
}
export interface FolderCreated {
  readonly kind: "folderCreated";
  readonly entryId: number;
  readonly parentId: number;
  readonly name: string;
  readonly ownerId: number;
}
export interface FileCreated {
  readonly kind: "fileCreated";
  readonly entryId: number;
  readonly parentId: number;
  readonly name: string;
  readonly ownerId: number;
}
export interface VersionCommitted {
  readonly kind: "versionCommitted";
  readonly entryId: number;
  readonly versionId: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly chunkIds: readonly number[];
  readonly inlineContent: Uint8Array;
}
export interface VersionPurged {
  readonly kind: "versionPurged";
  readonly entryId: number;
  readonly versionId: number;
}
export interface EntryMoved {
  readonly kind: "entryMoved";
  readonly entryId: number;
  readonly sourceParentId: number;
  readonly sourceName: string;
  readonly targetParentId: number;
  readonly targetName: string;
}
export interface EntryTrashed {
  readonly kind: "entryTrashed";
  readonly entryId: number;
  readonly sourceParentId: number;
}
export interface EntryRestored {
  readonly kind: "entryRestored";
  readonly entryId: number;
  readonly targetParentId: number;
  readonly targetName: string;
}
export interface EntryPurged {
  readonly kind: "entryPurged";
  readonly entryId: number;
}
export interface UploadStarted {
  readonly kind: "uploadStarted";
  readonly uploadId: string;
  readonly ownerId: number;
  readonly parentId: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly conflict: number;
  readonly expiresAtMs: number;
}
export interface UploadPartStored {
  readonly kind: "uploadPartStored";
  readonly uploadId: string;
  readonly part: number;
  readonly chunkIds: readonly number[];
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
}
export interface UploadEnded {
  readonly kind: "uploadEnded";
  readonly uploadId: string;
  readonly isCommitted: boolean;
}
export interface ChunksGranted {
  readonly kind: "chunksGranted";
  readonly grantId: number;
  readonly gateway: string;
  readonly chunks: readonly GrantedChunk[];
  readonly expiresAtMs: number;
}
export interface GrantedChunk {
  readonly chunkId: number;
  readonly nodeIds: readonly number[];
}
export interface ChunkPlaced {
  readonly kind: "chunkPlaced";
  readonly chunkId: number;
  readonly generation: number;
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
  readonly nodeIds: readonly number[];
  readonly confirmedNodeIds: readonly number[];
}
export interface ReplicaPlaced {
  readonly kind: "replicaPlaced";
  readonly chunkIds: readonly number[];
  readonly nodeId: number;
  readonly reason: string;
}
export interface ReplicaConfirmed {
  readonly kind: "replicaConfirmed";
  readonly chunkIds: readonly number[];
  readonly nodeId: number;
}
export interface ReplicaLost {
  readonly kind: "replicaLost";
  readonly chunkIds: readonly number[];
  readonly nodeId: number;
  readonly reason: string;
  /** The drill that caused it; 0 = nobody did it on purpose. */
  readonly drillId: number;
}
export interface TrimOrdered {
  readonly kind: "trimOrdered";
  readonly chunkId: number;
  readonly generation: number;
  readonly nodeId: number;
  readonly term: number;
  readonly reason: string;
  readonly confirmedNodeIds: readonly number[];
}
export interface ReplicaTrimmed {
  readonly kind: "replicaTrimmed";
  readonly chunkId: number;
  readonly nodeId: number;
}
