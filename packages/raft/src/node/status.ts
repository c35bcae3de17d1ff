import type { RaftStatus } from "../api.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { LogIndex } from "../core/types.ts";
import type { ShellOrgans } from "./shell-organs.ts";

/** The part of a status that the core knows. */
type CoreStatus = Omit<RaftStatus, "standing" | "incarnation" | "transfers" | "incoming">;

/** A whole node as it shows itself. */
export function describeShell(
  parts: { readonly incarnation: string },
  organs: Pick<ShellOrgans, "standing" | "waiters" | "sender" | "receiver">,
  view: RaftView,
): RaftStatus {
  return {
    ...toStatus(view, organs.waiters.appliedIndex),
    standing: organs.standing.standing,
    incarnation: parts.incarnation,
    transfers: organs.sender.transfers(),
    incoming: organs.receiver.progress,
  };
}

/** A core's view as its host shows it. */
function toStatus(view: RaftView, appliedIndex: LogIndex): CoreStatus {
  return {
    id: view.id,
    role: view.isLearner && view.role === "follower" ? "learner" : view.role,
    term: view.term,
    leader: view.leader,
    commitIndex: view.commitIndex,
    appliedIndex,
    lastIndex: view.lastIndex,
    firstIndex: view.firstIndex,
    missingEntries: view.missingEntries,
    snapshotIndex: (view.firstIndex - 1) as LogIndex,
    isReadyLeader: view.isReadyLeader,
    voters: view.membership.voters,
    learners: view.membership.learners,
    peers: view.peers.map(({ id, matchIndex, isActive, state }) => ({ id, matchIndex, isActive, state })),
  };
}
