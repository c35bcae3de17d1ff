import type { PeerView, RaftView } from "./raft-core.ts";
import { missingCount } from "./log-repair.ts";
import { knownLeader, type RaftState } from "./state.ts";
import { nobody } from "./types.ts";

/** A copy of what may be seen from outside. */
export function viewOf(state: RaftState): RaftView {
  const { log } = state;
  const last = log.last;
  return {
    id: state.config.id,
    role: state.role,
    isLearner: state.progress.get(state.config.id)?.isLearner ?? false,
    term: state.term,
    vote: state.vote,
    leader: knownLeader(state),
    transferee: state.transferee === nobody ? undefined : state.transferee,
    commitIndex: log.committed,
    appliedIndex: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: last.index,
    lastTerm: last.term,
    durableIndex: log.durable,
    missingEntries: missingCount(state),
    isReadyLeader: state.role === "leader" && state.readyTerm === state.term,
    hasFailed: state.hasFailed,
    membership: state.membership,
    peers: state.role === "leader" ? peersOf(state) : [],
  };
}

function peersOf(state: RaftState): PeerView[] {
  const peers: PeerView[] = [];
  for (const id of state.peerIds) {
    const progress = state.progress.get(id);
    if (progress === undefined) continue;
    peers.push({
      id,
      state: progress.state,
      matchIndex: progress.match,
      nextIndex: progress.next,
      isLearner: progress.isLearner,
      isActive: progress.isActive,
      isPaused: progress.isPaused,
      pendingSnapshotIndex: progress.pendingSnapshot,
      inflightAppends: progress.inflights.count,
      isInflightFull: progress.inflights.isFull,
    });
  }
  return peers;
}
