import { isPlanted } from "@holdfast/base";
import { beginElection, checkQuorum } from "./election.ts";
import { expireProposals } from "./proposal-outcome.ts";
import { beginRound, expireForwardedReads } from "./read-index.ts";
import { becomeFollower } from "./role-change.ts";
import { isPromotable, tell, type RaftState } from "./state.ts";
import { abortTransfer, orderHandover } from "./transfer.ts";
import { nobody, type PeerId } from "./types.ts";

/** Time passes. */
export function onTick(state: RaftState): void {
  state.tick++;
  expireProposals(state);
  expireForwardedReads(state);
  const isStalled = noticeStall(state);
  if (state.role === "leader") tickLeader(state, isStalled);
  else tickFollower(state, isStalled);
}

/** How long the oldest persist order waits, if that is too long. */
function noticeStall(state: RaftState): boolean {
  const oldest = state.openPersists[0];
  const limit = state.config.persistStallTicks;
  const ticks = oldest === undefined ? 0 : state.tick - oldest.givenAtTick;
  const isStalled = limit > 0 && ticks >= limit;
  if (isStalled && !state.isDiskStallReported) tell(state, { kind: "diskStalled", ticks });
  state.isDiskStallReported = isStalled;
  return isStalled;
}

function tickFollower(state: RaftState, isStalled: boolean): void {
  state.electionElapsed++;
  if (state.electionElapsed < state.randomizedElectionTicks || !isPromotable(state)) return;
  state.electionElapsed = 0;
  // A node whose disk hangs could not make its own vote durable, nor anything it would lead.
  if (!isStalled) beginElection(state, "timeout");
}

function tickLeader(state: RaftState, isStalled: boolean): void {
  if (isStalled && !isPlanted("stalledLeaderStays")) {
    stepDownForDisk(state);
    return;
  }
  state.heartbeatElapsed++;
  state.electionElapsed++;
  if (state.electionElapsed >= state.config.electionTicks) {
    state.electionElapsed = 0;
    const isKept = !state.config.switches.checkQuorum || checkQuorum(state) || isPlanted("lonelyLeaderStays");
    if (!isKept) becomeFollower(state, state.term, nobody);
    const isLate = state.role === "leader" && state.transferee !== nobody;
    if (isLate && !isPlanted("transferNeverEnds")) abortTransfer(state);
  }
  if (state.role !== "leader" || state.heartbeatElapsed < state.config.heartbeatTicks) return;
  state.heartbeatElapsed = 0;
  beginRound(state);
}

/** A leader whose disk hangs must not go on as a zombie: the best-placed live voter is told to take over (hashicorp #503). */
function stepDownForDisk(state: RaftState): void {
  let best: { readonly id: PeerId; readonly match: number } | undefined;
  for (const id of state.membership.voters) {
    const progress = state.progress.get(id);
    if (id === state.config.id || progress === undefined || !progress.isActive) continue;
    if (best === undefined || progress.match > best.match) best = { id, match: progress.match };
  }
  if (best !== undefined) orderHandover(state, best.id);
  becomeFollower(state, state.term, nobody);
}
