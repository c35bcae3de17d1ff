import { exhaustive, isPlanted } from "@holdfast/base";
import { isLeaderAlive, beginElection, onVoteRequest, onVoteResponse, refuseOldPreVote } from "./election.ts";
import { onHeartbeat } from "./heartbeat.ts";
import type { Message } from "./messages.ts";
import { onForwardedProposal } from "./proposals.ts";
import { onReadIndexRequest, onReadIndexResponse, onReadRound } from "./read-index.ts";
import { onAppendRequest, onAppendResponse } from "./replication.ts";
import { becomeFollower } from "./role-change.ts";
import { onSnapshotRequest } from "./snapshot.ts";
import { header, sendAfterPersist, type RaftState } from "./state.ts";
import { onForwardedTransfer } from "./transfer.ts";
import { nobody, type LogIndex } from "./types.ts";

/** Takes a valid message: first what its term says about ours, then what it is (§3.3). */
export function receive(state: RaftState, message: Message): void {
  if (message.term > state.term) {
    if (!onHigherTerm(state, message)) return;
  } else if (message.term < state.term && message.term > 0) {
    onLowerTerm(state, message);
    if (!isPlanted("earlierTermCounts")) return;
  }
  dispatch(state, message);
}

/** Whether the message is to be looked at. */
function onHigherTerm(state: RaftState, message: Message): boolean {
  if (message.kind === "voteRequest") {
    // Whoever hears a live leader does not let a node that does not disturb the group (§4.2.3).
    if (!message.isTransfer && isLeaderAlive(state)) return false;
    if (message.isPreVote) return true;
  }
  // A granted pre-vote carries the term to come; a refused one the refuser's term, which is to be adopted.
  if (message.kind === "voteResponse" && message.isPreVote && !message.isRejected) return true;
  becomeFollower(state, message.term, isFromLeader(message) ? message.from : nobody);
  return true;
}

function onLowerTerm(state: RaftState, message: Message): void {
  const { preVote, checkQuorum } = state.config.switches;
  if (message.kind === "appendRequest" || message.kind === "heartbeatRequest") {
    // A leader that lags in terms must hear of ours, or a node that is ahead could never come back without an election.
    if (!checkQuorum && !preVote) return;
    sendAfterPersist(state, { ...header(state, message.from), kind: "appendResponse", index: 0 as LogIndex });
  } else if (message.kind === "voteRequest" && message.isPreVote) {
    if (!isPlanted("oldPreVoteIgnored")) refuseOldPreVote(state, message);
  }
}

function isFromLeader(message: Message): boolean {
  return message.kind === "appendRequest" || message.kind === "heartbeatRequest" || message.kind === "snapshotRequest";
}

/** A message of the present term's leader makes a candidate give up; two leaders in a term cannot be. */
function followSender(state: RaftState, message: Message): boolean {
  if (state.role === "leader") return false;
  if (state.role !== "follower") becomeFollower(state, message.term, message.from);
  state.electionElapsed = 0;
  state.leader = message.from;
  return true;
}

function dispatch(state: RaftState, message: Message): void {
  switch (message.kind) {
    case "voteRequest":
      return onVoteRequest(state, message);
    case "voteResponse":
      return onVoteResponse(state, message);
    case "appendRequest":
      return followSender(state, message) ? onAppendRequest(state, message) : undefined;
    case "heartbeatRequest":
      return followSender(state, message) ? onHeartbeat(state, message) : undefined;
    case "snapshotRequest":
      return followSender(state, message) ? onSnapshotRequest(state, message) : undefined;
    case "appendResponse":
      return state.role === "leader" ? onAppendResponse(state, message) : undefined;
    case "heartbeatResponse":
      return state.role === "leader" ? onReadRound(state, message) : undefined;
    case "timeoutNow":
      return state.role === "follower" ? beginElection(state, "transfer") : undefined;
    case "forwardedProposal":
      return onForwardedProposal(state, message);
    case "forwardedTransfer":
      return onForwardedTransfer(state, message.target);
    case "readIndexRequest":
      return onReadIndexRequest(state, message);
    case "readIndexResponse":
      return onReadIndexResponse(state, message);
    default:
      return exhaustive(message);
  }
}
