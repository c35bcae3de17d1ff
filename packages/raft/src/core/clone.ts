import type { RaftState } from "./state.ts";

/** An equal state that shares nothing mutable with the first; entries and messages are values and may be shared. */
export function cloneState(state: RaftState): RaftState {
  const { reads, outbox } = state;
  return {
    ...state,
    log: state.log.clone(),
    membershipHistory: [...state.membershipHistory],
    progress: new Map([...state.progress].map(([id, progress]) => [id, progress.clone()])),
    votes: new Map(state.votes),
    transferRefs: [...state.transferRefs],
    reads: {
      ...reads,
      roundStarts: [...reads.roundStarts],
      waiting: [...reads.waiting],
      postponed: [...reads.postponed],
      forwarded: [...reads.forwarded],
    },
    openProposals: [...state.openProposals],
    openPersists: [...state.openPersists],
    openApplies: [...state.openApplies],
    openFetches: [...state.openFetches],
    told: { ...state.told },
    outbox: {
      ...outbox,
      messages: [...outbox.messages],
      afterPersist: [...outbox.afterPersist],
      replies: [...outbox.replies],
      fetches: [...outbox.fetches],
      events: [...outbox.events],
      apply: [...outbox.apply],
    },
  };
}
