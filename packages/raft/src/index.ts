export type {
  CommittedEntry,
  MembershipWish,
  ProposeOutcome,
  RaftConfig,
  RaftEvent,
  RaftNode,
  RaftPeer,
  RaftPorts,
  RaftStanding,
  RaftStatus,
  SnapshotPiece,
  SnapshotSupport,
  SnapshotTransfer,
  StateInstallation,
  StateMachine,
  StateSnapshot,
} from "./api.ts";
export type { ReadMode } from "./core/input.ts";
export type { LogIndex, PeerId, Term } from "./core/types.ts";
export { openRaftNode, startRaftNode } from "./node/open-raft-node.ts";
export { raftSettings } from "./node/settings.ts";
export type { RaftSettings, Setting } from "./node/settings.ts";
export { SessionTable } from "./sessions/session-table.ts";
export type { SessionAnswer, SessionCommand, SessionLimits, SessionRefusal } from "./sessions/session-table.ts";
