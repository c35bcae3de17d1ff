import { isPlanted } from "@holdfast/base";
import type { EntryId } from "./entries.ts";
import type { HeartbeatRequest, HeartbeatResponse } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { tellLoss } from "./log-repair.ts";
import { quorumReached } from "./quorum.ts";
import { header, send, type RaftState } from "./state.ts";
import type { LogIndex, Term } from "./types.ts";
import { sendAppend } from "./append-sender.ts";

/** Starts of rounds remembered without an answer; the lease only ever needs recent ones. */
const openRoundsMax = 64;

/** A new round: every member is asked for a sign of life that only this round explains. */
export function broadcastHeartbeat(state: RaftState): void {
  const { reads } = state;
  reads.round++;
  reads.roundStarts.push({ round: reads.round, tick: state.tick });
  for (const id of state.peerIds) {
    const progress = state.progress.get(id);
    if (id === state.config.id || progress === undefined) continue;
    const commit = commitFor(state, progress);
    send(state, { ...header(state, id), kind: "heartbeatRequest", commit, round: reads.round });
    progress.sentCommit = Math.min(progress.match, state.log.committed) as LogIndex;
  }
  if (reads.roundStarts.length > openRoundsMax) reads.roundStarts.shift();
  confirmRounds(state);
}

function commitFor(state: RaftState, progress: Progress): EntryId {
  const { log, config } = state;
  const matched = Math.min(progress.match, log.committed) as LogIndex;
  const index = config.switches.commitInHeartbeats ? log.committed : matched;
  return {
    index,
    term: index === matched && index < log.start.index ? (0 as Term) : (log.termAt(index) ?? (0 as Term)),
  };
}

/** A follower learns what is committed and answers at once: a sign of life promises nothing about its disk. */
export function onHeartbeat(state: RaftState, request: HeartbeatRequest): void {
  const { log } = state;
  const { commit } = request;
  const isTrusted = commit.term === 0 || isPlanted("heartbeatCommitTrusted");
  const isKnown = isTrusted ? commit.index <= log.lastIndex : log.holds(commit);
  if (isKnown && commit.index > log.committed) log.committed = commit.index;
  send(state, { ...header(state, request.from), kind: "heartbeatResponse", round: request.round });
  tellLoss(state, request.from);
}

/** Whether the answer confirmed a round, by a quorum. */
export function onHeartbeatResponse(state: RaftState, response: HeartbeatResponse): boolean {
  const progress = state.progress.get(response.from);
  if (progress === undefined) return false;
  progress.isActive = true;
  progress.isPausedForAnswer = false;
  // Lost appends show here: a follower that is behind, or whose log is not known, is asked again.
  if (progress.match < state.log.lastIndex || progress.state === "probe") sendAppend(state, response.from);
  const round = isPlanted("anyAnswerConfirms") ? state.reads.round : response.round;
  if (round > progress.ackedRound && round <= state.reads.round) progress.ackedRound = round;
  return confirmRounds(state);
}

/** Counts the answers; this node answers itself at once. */
export function confirmRounds(state: RaftState): boolean {
  const { reads } = state;
  const confirmed = quorumReached(state.membership, (id) =>
    id === state.config.id ? reads.round : (state.progress.get(id)?.ackedRound ?? 0),
  );
  if (confirmed <= reads.confirmedRound || !Number.isFinite(confirmed)) return false;
  reads.confirmedRound = confirmed;
  while (reads.roundStarts.length > 0 && (reads.roundStarts[0]?.round ?? 0) <= confirmed) {
    const start = reads.roundStarts.shift();
    if (start?.round !== confirmed) continue;
    reads.leaseStart = isPlanted("leaseFromAnswer") ? { ...start, tick: state.tick } : start;
  }
  return true;
}
