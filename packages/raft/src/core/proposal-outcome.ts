import { isPlanted } from "@holdfast/base";
import type { RaftState } from "./state.ts";

/**
 * Answers proposals whose place in the log is committed: as their own entry, or as another's. A place that a snapshot
 * covers tells neither.
 */
export function resolveProposals(state: RaftState): void {
  const { log, openProposals, outbox } = state;
  if (!openProposals.some((proposal) => proposal.index <= log.committed)) return;
  for (const proposal of openProposals) {
    if (proposal.index > log.committed) continue;
    const term = log.termAt(proposal.index);
    const id = { term: proposal.term, index: proposal.index };
    if (term === proposal.term || isPlanted("overwrittenIsCommitted"))
      outbox.replies.push({ ref: proposal.ref, kind: "committed", id });
    else outbox.replies.push({ ref: proposal.ref, kind: term === undefined ? "unknown" : "superseded" });
  }
  state.openProposals = openProposals.filter((proposal) => proposal.index > log.committed);
}

/** After a lost leadership there is a limit to how long the outcome is waited for. */
export function expireProposals(state: RaftState): void {
  if (state.resolveAtTick === undefined || state.tick < state.resolveAtTick) return;
  state.resolveAtTick = undefined;
  abandonProposals(state);
}

/** Nobody will tell here what becomes of them. */
export function abandonProposals(state: RaftState): void {
  const { replies } = state.outbox;
  if (!isPlanted("proposalsVanish")) {
    for (const proposal of state.openProposals) replies.push({ ref: proposal.ref, kind: "unknown" });
  }
  state.openProposals = [];
}
