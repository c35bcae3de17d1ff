export type { CommittedEntry, ProposeOutcome, RaftEvent, RaftNode, RaftStatus, StateMachine } from "./api.ts";
export type { LogIndex, PeerId, Term } from "./core/types.ts";
