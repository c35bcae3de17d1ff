import { sendAppend } from "./append-sender.ts";
import { header, knownLeader, send, type RaftState } from "./state.ts";
import { nobody, type PeerId } from "./types.ts";

/** The host wants `to` to lead. */
export function onTransfer(state: RaftState, transfer: { readonly ref: number; readonly to: PeerId }): void {
  const { ref, to } = transfer;
  const { replies } = state.outbox;
  if (state.role === "leader") {
    const refusal = refusalOf(state, to);
    if (refusal !== undefined) {
      replies.push({ ref, kind: "refused", reason: refusal });
      return;
    }
    state.transferRefs.push({ ref, fromLeader: state.leader, sinceTick: state.tick });
    beginTransfer(state, to);
  } else if (state.config.switches.forwardProposals && state.role === "follower" && state.leader !== nobody) {
    state.transferRefs.push({ ref, fromLeader: state.leader, sinceTick: state.tick });
    send(state, { ...header(state, state.leader), kind: "forwardedTransfer", target: to });
  } else {
    replies.push({ ref, kind: "notLeader", leader: knownLeader(state) });
  }
}

/** A follower's host wants `target` to lead. */
export function onForwardedTransfer(state: RaftState, target: PeerId): void {
  if (state.role === "leader") {
    if (refusalOf(state, target) === undefined) beginTransfer(state, target);
  } else if (state.config.switches.forwardProposals && state.role === "follower" && state.leader !== nobody) {
    send(state, { ...header(state, state.leader), kind: "forwardedTransfer", target });
  }
}

function refusalOf(state: RaftState, to: PeerId): string | undefined {
  const progress = state.progress.get(to);
  if (progress === undefined) return "the target is not a member";
  if (progress.isLearner) return "the target is a learner";
  if (to === state.config.id) return "the target leads already";
  return undefined;
}

/**
 * Takes no more proposals, brings the target up to date and orders it to campaign (§3.10). It must be done within an
 * election timeout; a transfer to another target takes the place of one under way.
 */
function beginTransfer(state: RaftState, to: PeerId): void {
  const progress = state.progress.get(to);
  if (progress === undefined || state.transferee === to) return;
  state.electionElapsed = 0;
  state.transferee = to;
  if (progress.match === state.log.lastIndex) orderHandover(state, to);
  else sendAppend(state, to);
}

/** The target has everything: it may campaign at once, and voters will listen although a leader is alive. */
export function orderHandover(state: RaftState, to: PeerId): void {
  state.hasOrderedHandover = true;
  send(state, { ...header(state, to), kind: "timeoutNow" });
}

/** Goes on leading. */
export function abortTransfer(state: RaftState): void {
  state.transferee = nobody;
}

/** Answers the hosts' references: another leads now, or the time is over. */
export function resolveTransfers(state: RaftState): void {
  if (state.transferRefs.length === 0) return;
  const limit = state.config.electionTicks + state.config.resolveTicks;
  state.transferRefs = state.transferRefs.filter(({ ref, fromLeader, sinceTick }) => {
    const isDone = state.leader !== nobody && state.leader !== fromLeader;
    const isAborted = state.role === "leader" && state.transferee === nobody;
    if (!isDone && !isAborted && state.tick - sinceTick < limit) return true;
    state.outbox.replies.push({ ref, kind: isDone ? "transferred" : "unknown" });
    return false;
  });
}
