import type { RaftStatus } from "../api.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { LogIndex } from "../core/types.ts";

/** A core's view as its host shows it. */
export function toStatus(view: RaftView, appliedIndex: LogIndex): RaftStatus {
  return {
    id: view.id,
    role: view.isLearner && view.role === "follower" ? "learner" : view.role,
    term: view.term,
    leader: view.leader,
    commitIndex: view.commitIndex,
    appliedIndex,
    lastIndex: view.lastIndex,
    firstIndex: view.firstIndex,
    isReadyLeader: view.isReadyLeader,
    peers: view.peers.map(({ id, matchIndex, isActive, state }) => ({ id, matchIndex, isActive, state })),
  };
}
