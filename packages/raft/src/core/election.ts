import { isPlanted } from "@holdfast/base";
import { broadcastAppend } from "./append-sender.ts";
import type { EntryId } from "./entries.ts";
import type { VoteRequest, VoteResponse } from "./messages.ts";
import { allVoters, quorumVote } from "./quorum.ts";
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from "./role-change.ts";
import { header, isPromotable, send, sendAfterPersist, type RaftState } from "./state.ts";
import { nobody, type LogIndex, type PeerId, type Term } from "./types.ts";

/** Why an election begins: the timeout (asking first, if so configured), or a leader's order to take over (§3.10). */
export type CampaignReason = "timeout" | "transfer";

/** Begins an election, unless this node leads, has no vote, or has not applied a committed configuration change. */
export function beginElection(state: RaftState, reason: CampaignReason): void {
  if (state.role === "leader" || !isPromotable(state)) return;
  if (state.log.configurationEntries(state.log.applied, state.log.committed).length > 0) return;
  campaign(state, {
    isPreVote: reason === "timeout" && state.config.switches.preVote,
    isTransfer: reason === "transfer",
  });
}

function campaign(state: RaftState, kind: { readonly isPreVote: boolean; readonly isTransfer: boolean }): void {
  if (kind.isPreVote) becomePreCandidate(state);
  else becomeCandidate(state);
  const term = (kind.isPreVote ? state.term + 1 : state.term) as Term;
  const commit = knownCommit(state);
  for (const to of allVoters(state.membership)) {
    const base = { from: state.config.id, to, term, isPreVote: kind.isPreVote, commit };
    // The own vote counts when it is durable, like everybody's.
    if (to === state.config.id) sendAfterPersist(state, { ...base, kind: "voteResponse", isRejected: false });
    else send(state, { ...base, kind: "voteRequest", last: state.log.last, isTransfer: kind.isTransfer });
  }
}

/** One vote per term, for a candidate whose log is at least as good (§3.4, §3.6.1). A learner votes too when asked. */
export function onVoteRequest(state: RaftState, request: VoteRequest): void {
  learnCommit(state, request.commit);
  const { from, isPreVote } = request;
  const isRepeat = state.vote === from;
  const isFree = (state.vote === nobody || isPlanted("voteTwice")) && state.leader === nobody;
  const isForFuture = isPreVote && request.term > state.term;
  const isLearner = isPlanted("learnerRefusesVote") && !isPromotable(state);
  const isGranted = (isRepeat || isFree || isForFuture) && state.log.isUpToDate(request.last) && !isLearner;
  const answer = { kind: "voteResponse", isPreVote, commit: knownCommit(state) } as const;
  if (!isGranted) {
    sendAfterPersist(state, { ...header(state, from), ...answer, isRejected: true });
    return;
  }
  // A grant echoes the request's term, which for a pre-vote is not this node's.
  const term = isPlanted("preVoteGrantInOwnTerm") ? state.term : request.term;
  sendAfterPersist(state, { ...header(state, from), ...answer, term, isRejected: false });
  if (isPreVote) return;
  state.electionElapsed = 0;
  state.vote = from;
}

/** Refuses a pre-vote of a node that lags in terms, so that it learns ours and cannot be stuck for ever (§9.6). */
export function refuseOldPreVote(state: RaftState, request: VoteRequest): void {
  sendAfterPersist(state, {
    ...header(state, request.from),
    kind: "voteResponse",
    isPreVote: true,
    isRejected: true,
    commit: knownCommit(state),
  });
}

/** Counts a vote for this candidate. */
export function onVoteResponse(state: RaftState, response: VoteResponse): void {
  const isAwaited = state.role === (response.isPreVote ? "preCandidate" : "candidate");
  if (!isAwaited) return;
  if (!state.votes.has(response.from)) state.votes.set(response.from, !response.isRejected);
  const outcome = quorumVote(state.membership, (id) => state.votes.get(id));
  if (outcome === "won") {
    if (!response.isPreVote && !isTermDurable(state)) return;
    if (response.isPreVote) {
      campaign(state, { isPreVote: false, isTransfer: false });
    } else {
      becomeLeader(state);
      broadcastAppend(state);
    }
  } else if (outcome === "lost") {
    becomeFollower(state, state.term, nobody);
  }
  if (response.isRejected) learnCommit(state, response.commit);
}

/**
 * Whether this candidate's term and own vote are on its disk. Others may have elected it before that; but a leader that
 * sends entries and then forgets its term in a crash may be elected in the same term again, by voters who repeat their
 * vote, and would put other entries in the same places.
 */
function isTermDurable(state: RaftState): boolean {
  const isWaitedFor = !state.config.switches.leadBeforeOwnVote && !isPlanted("leadsBeforeOwnVote");
  return !isWaitedFor || state.votes.has(state.config.id);
}

/**
 * A node may be the only one with the longest log and not know that a configuration change in it is committed; then
 * nobody could ever win. So votes tell what is committed (raft-rs `maybe_commit_by_vote`, etcd #12359).
 */
function learnCommit(state: RaftState, commit: EntryId): void {
  const { log } = state;
  if (!state.config.switches.commitByVote || state.role === "leader" || commit.term === 0) return;
  if (isPlanted("commitUnknownToVoters")) return;
  if (commit.index <= log.committed || !log.holds(commit)) return;
  const before = log.committed;
  log.committed = commit.index;
  const isCampaigning = state.role !== "follower";
  if (isCampaigning && log.configurationEntries(before, commit.index).length > 0) {
    becomeFollower(state, state.term, nobody);
  }
}

function knownCommit(state: RaftState): EntryId {
  const { log } = state;
  if (!state.config.switches.commitByVote) return { term: 0 as Term, index: 0 as LogIndex };
  return { term: log.termAt(log.committed) ?? (0 as Term), index: log.committed };
}

/** Whether a leader is alive as far as this node knows, so that candidates are not listened to (§4.2.3). */
export function isLeaderAlive(state: RaftState): boolean {
  const { switches, electionTicks } = state.config;
  // A member that has just started does not know whether it had promised its loyalty to a leader that reads on a lease:
  // it may have answered in a term that never got to its disk.
  const isLoyaltyUnknown = !switches.voteAtStart && !isPlanted("loyaltyForgotten");
  if (switches.leaseReads && isLoyaltyUnknown && state.tick < electionTicks) return true;
  return switches.checkQuorum && state.leader !== nobody && state.electionElapsed < electionTicks;
}

/** Whether a quorum gave a sign of life since the last check; begins the next period. */
export function checkQuorum(state: RaftState): boolean {
  const own = state.config.id;
  const isActive = (id: PeerId): boolean => id === own || (state.progress.get(id)?.isActive ?? false);
  const outcome = quorumVote(state.membership, isActive);
  for (const [id, progress] of state.progress) if (id !== own) progress.isActive = false;
  return outcome === "won";
}
