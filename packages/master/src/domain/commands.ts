import type { FleetCommand, FleetOutcome } from "./fleet/orders.ts";

/**
 * What can be asked for, in plain types: `holdfast.master.v1.Command` with `kind` = the name of the oneof case. What
 * each field means, and which refusals a command knows, is said in the proto.
 */
export type DomainCommand =
  | CreateUser
  | ChangePassword
  | DisableUser
  | StartSession
  | EndSession
  | IssueSetupToken
  | CreateFolder
  | CommitFile
  | MoveEntry
  | TrashEntry
  | RestoreEntry
  | PurgeEntry
  | GrantChunks
  | ReportBadReplica
  | StartUpload
  | StoreUploadPart
  | CommitUpload
  | AbortUpload
  | FleetCommand;

/** `holdfast.events.v1.ConflictPolicy` by number; 0 is the same as fail. */
export const conflictPolicy = { unspecified: 0, fail: 1, replace: 2, keepBoth: 3 } as const;

/** A chunk that was written, with the proof. */
export interface WrittenChunk {
  readonly chunkId: number;
  readonly generation: number;
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
  readonly nodeIds: readonly number[];
  readonly confirmedNodeIds: readonly number[];
}

/** `holdfast.master.v1.CommandOutcome`: only the fields that the command names are set. */
export interface CommandOutcome {
  readonly entryId?: number;
  readonly versionId?: number;
  readonly userId?: number;
  readonly grant?: Grant;
  readonly name?: string;
  readonly fleet?: FleetOutcome;
}
export interface Grant {
  readonly grantId: number;
  readonly chunks: readonly GrantChunk[];
  readonly expiresAtMs: number;
  readonly lifetimeMs: number;
}
export interface GrantChunk {
  readonly chunkId: number;
  readonly places: readonly ChunkPlace[];
}
export interface ChunkPlace {
  readonly nodeId: number;
  readonly address: string;
}

export interface CreateUser {
  readonly kind: "createUser";
  readonly email: string;
  readonly passwordHash: string;
  readonly isAdmin: boolean;
  readonly phone: string;
  readonly channels: readonly string[];
  readonly setupTokenSha256: Uint8Array;
  readonly isForced: boolean;
  readonly keepExisting: boolean;
}
export interface ChangePassword {
  readonly kind: "changePassword";
  readonly userId: number;
  readonly passwordHash: string;
  readonly keepTokenSha256: Uint8Array;
}
export interface DisableUser {
  readonly kind: "disableUser";
  readonly userId: number;
}
export interface StartSession {
  readonly kind: "startSession";
  readonly tokenSha256: Uint8Array;
  readonly userId: number;
  readonly channel: string;
  readonly lifetimeMs: number;
  readonly client: string;
}
export interface EndSession {
  readonly kind: "endSession";
  readonly tokenSha256: Uint8Array;
  readonly userId: number;
}
export interface IssueSetupToken {
  readonly kind: "issueSetupToken";
  readonly tokenSha256: Uint8Array;
  readonly lifetimeMs: number;
}
export interface CreateFolder {
  readonly kind: "createFolder";
  readonly parentId: number;
  readonly name: string;
  readonly userId: number;
  readonly keepExisting: boolean;
}
export interface CommitFile {
  readonly kind: "commitFile";
  readonly parentId: number;
  readonly name: string;
  readonly userId: number;
  readonly conflict: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly chunks: readonly WrittenChunk[];
  readonly inlineContent: Uint8Array;
}
export interface MoveEntry {
  readonly kind: "moveEntry";
  readonly entryId: number;
  readonly targetParentId: number;
  readonly targetName: string;
  readonly userId: number;
  readonly ifRevision: number;
  readonly conflict: number;
}
export interface TrashEntry {
  readonly kind: "trashEntry";
  readonly entryId: number;
  readonly userId: number;
  readonly onlyIfEmpty: boolean;
}
export interface RestoreEntry {
  readonly kind: "restoreEntry";
  readonly entryId: number;
  readonly userId: number;
  readonly targetParentId: number;
}
export interface PurgeEntry {
  readonly kind: "purgeEntry";
  readonly entryId: number;
  readonly userId: number;
}
export interface GrantChunks {
  readonly kind: "grantChunks";
  readonly gateway: string;
  readonly count: number;
  readonly avoidNodeIds: readonly number[];
}
export interface ReportBadReplica {
  readonly kind: "reportBadReplica";
  readonly chunkId: number;
  readonly nodeId: number;
  readonly reason: string;
}
export interface StartUpload {
  readonly kind: "startUpload";
  readonly uploadId: string;
  readonly userId: number;
  readonly parentId: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly conflict: number;
}
export interface StoreUploadPart {
  readonly kind: "storeUploadPart";
  readonly uploadId: string;
  readonly userId: number;
  readonly part: number;
  readonly chunks: readonly WrittenChunk[];
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
}
export interface CommitUpload {
  readonly kind: "commitUpload";
  readonly uploadId: string;
  readonly userId: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}
export interface AbortUpload {
  readonly kind: "abortUpload";
  readonly uploadId: string;
  readonly userId: number;
}
