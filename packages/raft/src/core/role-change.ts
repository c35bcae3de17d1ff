import { assert, isPlanted } from "@holdfast/base";
import { appendOwn } from "./own-log.ts";
import { dropReads } from "./read-index.ts";
import { drawElectionTimeout, knownLeader, newProgress, type RaftState } from "./state.ts";
import { nobody, type LogIndex, type PeerId, type Term } from "./types.ts";

/** Follows `leader` (or nobody yet) in `term`. */
export function becomeFollower(state: RaftState, term: Term, leader: PeerId): void {
  if (state.role === "leader") state.resolveAtTick = state.tick + state.config.resolveTicks;
  reset(state, term);
  state.leader = leader;
  state.role = "follower";
  dropReads(state, knownLeader(state));
}

/** Asks whether it could win, without touching term or vote (§9.6). */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== "leader", "a leader does not campaign");
  state.votes = new Map();
  state.leader = nobody;
  state.role = "preCandidate";
}

/** Campaigns in the next term, with its own vote (§3.4). */
export function becomeCandidate(state: RaftState): void {
  assert(state.role !== "leader", "a leader does not campaign");
  reset(state, (state.term + 1) as Term);
  state.vote = state.config.id;
  state.role = "candidate";
}

/** Leads: an empty entry of the own term comes first, so that the log's tail can be committed (§3.6.2, §6.4). */
export function becomeLeader(state: RaftState): void {
  assert(state.role === "candidate", "only a candidate wins");
  reset(state, state.term);
  state.leader = state.config.id;
  state.role = "leader";
  state.resolveAtTick = undefined;
  state.hasOrderedHandover = false;
  const own = state.progress.get(state.config.id);
  own?.becomeReplicate();
  if (own !== undefined) own.isActive = true;
  // There may be a change in the tail that this node has not seen applied: no other until then.
  if (!isPlanted("changeBeforeOwnCommit")) state.pendingConfigurationIndex = state.log.lastIndex;
  const isAppended = appendOwn(state, [{ kind: "empty" }]);
  assert(isAppended, "an empty entry always fits");
}

function reset(state: RaftState, term: Term): void {
  if (state.term !== term) {
    state.term = term;
    state.vote = nobody;
  }
  state.leader = nobody;
  state.electionElapsed = 0;
  state.heartbeatElapsed = 0;
  drawElectionTimeout(state);
  state.transferee = nobody;
  state.votes = new Map();
  for (const id of state.peerIds) {
    const isLearner = state.progress.get(id)?.isLearner ?? false;
    const next = (state.log.lastIndex + 1) as LogIndex;
    const fresh = newProgress(state.config, { next, isLearner });
    if (id === state.config.id) fresh.match = state.log.lastIndex;
    state.progress.set(id, fresh);
  }
  state.pendingConfigurationIndex = 0 as LogIndex;
  state.uncommittedBytes = 0;
  state.openFetches = state.openFetches.filter((fetch) => fetch.peer === undefined);
}
