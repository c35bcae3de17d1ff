import { isPlanted } from "@holdfast/base";
import { broadcastHeartbeat, onHeartbeatResponse } from "./heartbeat.ts";
import type { ReadMode } from "./input.ts";
import type { HeartbeatResponse, ReadIndexRequest, ReadIndexResponse } from "./messages.ts";
import { emptyReads, header, knownLeader, send, type ReadOrigin, type RaftState } from "./state.ts";
import { nobody, type LogIndex, type PeerId } from "./types.ts";

/** The host asks for an index to read at. */
export function onRead(state: RaftState, read: { readonly ref: number; readonly mode: ReadMode }): void {
  const { reads, config } = state;
  const waiting = reads.waiting.length + reads.postponed.length + reads.forwarded.length;
  if (waiting >= config.waitingReadsMax) {
    state.outbox.replies.push({ ref: read.ref, kind: "overloaded" });
  } else if (state.role === "leader") {
    serve(state, { ref: read.ref }, read.mode);
  } else if (config.switches.forwardReads && state.leader !== nobody) {
    reads.forwarded.push({ ref: read.ref, sentAtTick: state.tick });
    send(state, { ...header(state, state.leader), kind: "readIndexRequest", request: read.ref });
  } else {
    state.outbox.replies.push({ ref: read.ref, kind: "notLeader", leader: knownLeader(state) });
  }
}

/** A peer asks; only a leader answers, others stay silent and the peer gives up in time. */
export function onReadIndexRequest(state: RaftState, request: ReadIndexRequest): void {
  const isFull = state.reads.waiting.length + state.reads.postponed.length >= state.config.waitingReadsMax;
  if (state.role !== "leader" || isFull) return;
  serve(state, { from: request.from, request: request.request }, "round");
}

/** The leader's answer to a forwarded read. */
export function onReadIndexResponse(state: RaftState, response: ReadIndexResponse): void {
  const { reads } = state;
  const position = reads.forwarded.findIndex((read) => read.ref === response.request);
  if (position < 0) return;
  reads.forwarded.splice(position, 1);
  state.outbox.replies.push({ ref: response.request, kind: "readable", index: response.index });
}

/** A follower answered a heartbeat: reads of rounds that a quorum answered are served. */
export function onReadRound(state: RaftState, response: HeartbeatResponse): void {
  if (onHeartbeatResponse(state, response)) releaseReads(state);
}

/** Begins a round; one that this node alone confirms serves its reads at once. */
export function beginRound(state: RaftState): void {
  const before = state.reads.confirmedRound;
  broadcastHeartbeat(state);
  if (state.reads.confirmedRound > before) releaseReads(state);
}

/** Serves what waits for confirmed rounds, and begins the round that the rest waits for. */
function releaseReads(state: RaftState): void {
  const { reads } = state;
  const isReady = (round: number): boolean => round <= reads.confirmedRound;
  for (const read of reads.waiting) if (isReady(read.round)) answer(state, read.origin, read.index);
  reads.waiting = reads.waiting.filter((read) => !isReady(read.round));
  const isRoundOpen = reads.confirmedRound < reads.round;
  if (!isRoundOpen && reads.waiting.length > 0) beginRound(state);
}

/** This leader committed in its own term: its commit index now covers everything committed before (§6.4 step 1). */
export function servePostponedReads(state: RaftState): void {
  const { postponed } = state.reads;
  if (postponed.length === 0 || !hasCommittedInTerm(state)) return;
  state.reads.postponed = [];
  for (const origin of postponed) serve(state, origin, "round");
}

/** Leadership is gone: no read happened, so each may be asked elsewhere. */
export function dropReads(state: RaftState, leader: PeerId | undefined): void {
  const { reads } = state;
  for (const origin of [...reads.waiting.map((read) => read.origin), ...reads.postponed]) {
    if ("ref" in origin) state.outbox.replies.push({ ref: origin.ref, kind: "notLeader", leader });
  }
  for (const read of reads.forwarded) state.outbox.replies.push({ ref: read.ref, kind: "unknown" });
  state.reads = emptyReads(reads.round);
}

/** Forwarded reads whose answer was lost end. */
export function expireForwardedReads(state: RaftState): void {
  const { forwarded } = state.reads;
  const isLate = (sentAtTick: number): boolean => state.tick - sentAtTick >= state.config.resolveTicks;
  if (!forwarded.some((read) => isLate(read.sentAtTick))) return;
  for (const read of forwarded) {
    if (isLate(read.sentAtTick)) state.outbox.replies.push({ ref: read.ref, kind: "unknown" });
  }
  state.reads.forwarded = forwarded.filter((read) => !isLate(read.sentAtTick));
}

function serve(state: RaftState, origin: ReadOrigin, mode: ReadMode): void {
  const { reads, membership } = state;
  const isSingle = membership.voters.length === 1 && membership.votersOutgoing.length === 0;
  const isAlone = isSingle && membership.voters[0] === state.config.id;
  if (!hasCommittedInTerm(state)) {
    reads.postponed.push(origin);
  } else if (isAlone) {
    answer(state, origin, state.log.committed);
  } else if (mode === "lease" && "ref" in origin && hasLease(state)) {
    const { leaseStart } = reads;
    const index = state.log.committed;
    state.outbox.replies.push({ ref: origin.ref, kind: "readable", index, leaseRound: leaseStart?.round ?? 0 });
  } else {
    const isRoundOpen = reads.confirmedRound < reads.round;
    reads.waiting.push({ origin, index: state.log.committed, round: reads.round + 1 });
    if (!isRoundOpen) beginRound(state);
  }
}

function answer(state: RaftState, origin: ReadOrigin, index: LogIndex): void {
  if ("ref" in origin) state.outbox.replies.push({ ref: origin.ref, kind: "readable", index });
  else send(state, { ...header(state, origin.from), kind: "readIndexResponse", request: origin.request, index });
}

function hasCommittedInTerm(state: RaftState): boolean {
  if (isPlanted("readBeforeOwnCommit")) return true;
  return state.log.termAt(state.log.committed) === state.term;
}

/**
 * Three quarters of an election timeout after the start of a round that a quorum answered: until then that quorum
 * ignores candidates (§6.4.1). A hand-over breaks that promise, so a term with one has no lease any more.
 */
function hasLease(state: RaftState): boolean {
  const { switches, electionTicks } = state.config;
  const start = state.reads.leaseStart?.tick;
  const isHandedOver = state.hasOrderedHandover && !isPlanted("leaseOutlivesHandover");
  if (!switches.leaseReads || !switches.checkQuorum || start === undefined || isHandedOver) return false;
  const ticks = Math.floor((electionTicks * 3) / 4);
  return state.tick - start < (isPlanted("leaseTooLong") ? 4 * ticks : ticks);
}
