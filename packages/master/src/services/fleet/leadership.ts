import { HoldfastError } from "@holdfast/base";
import type { RaftNode } from "@holdfast/raft";

/** Whether this master leads, for whoever works only then. */
export interface Leadership {
  /** Leads and has applied its own term's first entry. */
  isReady(): boolean;
  /** The current term. */
  term(): number;
  /** host:port of the master believed to lead; empty when unknown or when it is this one. */
  leaderAddress(): string;
}

/** Leadership as Raft tells it. */
export function leadershipOf(raft: RaftNode): Leadership {
  return {
    isReady: () => raft.status().isReadyLeader,
    term: () => raft.status().term,
    leaderAddress: () => {
      const { leader, id } = raft.status();
      return leader === undefined || leader === id ? "" : (raft.addressOf(leader) ?? "");
    },
  };
}

/** The refusal of a master that does not lead. */
export function notLeader(leadership: Leadership): HoldfastError {
  const leaderAddress = leadership.leaderAddress();
  const detail = leaderAddress === "" ? {} : { leaderAddress };
  return new HoldfastError("notLeader", "This master does not lead. Nothing was changed; ask the leader.", detail);
}
