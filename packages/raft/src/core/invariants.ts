import { assert, isPlanted } from "@holdfast/base";
import type { RaftView } from "./raft-core.ts";
import { isVoter } from "./quorum.ts";

/**
 * What must hold of one core after every step, whatever it was told. Cheap enough for every step of a test. Throws
 * `AssertionError`. What must hold between cores (election safety, log matching) is checked by the test drivers.
 */
export function checkInvariants(view: RaftView): void {
  assert(!isPlanted("canary"), "no canary sings");
  assert(view.commitIndex <= view.lastIndex, "what is committed is in the log");
  assert(view.appliedIndex <= view.commitIndex, "only what is committed is applied");
  assert(view.firstIndex <= view.lastIndex + 1, "the log begins before it ends");
  assert(view.durableIndex <= view.lastIndex, "only what is in the log is durable");
  assert(view.lastTerm <= view.term, "no entry is of a later term than the node");
  assert(view.role !== "leader" || view.leader === view.id, "a leader follows itself");
  assert(view.role === "leader" || view.leader !== view.id, "only a leader follows itself");
  assert(view.role !== "candidate" || view.vote === view.id, "a candidate votes for itself");
  assert(view.role !== "candidate" || view.leader === undefined, "a candidate knows no leader");
  assert(view.transferee === undefined || view.role === "leader", "only a leader hands over");
  assert(!view.isReadyLeader || view.role === "leader", "only a leader is ready to lead");
  const { voters, votersOutgoing, learners, learnersNext } = view.membership;
  for (const id of learners) assert(!isVoter({ voters, votersOutgoing }, id), "a learner has no vote");
  for (const id of learnersNext) assert(votersOutgoing.includes(id), "a learner to come is an outgoing voter");
  for (const peer of view.peers) checkPeer(view, peer);
}

function checkPeer(view: RaftView, peer: RaftView["peers"][number]): void {
  assert(peer.matchIndex < peer.nextIndex, "what is known to agree is not sent again");
  assert(peer.matchIndex <= view.lastIndex, "no member has more of the leader's log than the leader");
  assert(peer.state !== "snapshot" || peer.pendingSnapshotIndex > 0, "a snapshot under way has an index");
  assert(peer.nextIndex <= Math.max(view.lastIndex, peer.pendingSnapshotIndex) + 1, "nothing beyond the log is sent");
}
