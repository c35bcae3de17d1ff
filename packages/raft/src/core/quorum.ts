import { isPlanted } from "@holdfast/base";
import type { Membership } from "./entries.ts";
import type { PeerId } from "./types.ts";

/** How an election stands. */
export type VoteOutcome = "pending" | "lost" | "won";

/** The part of a membership that decides: a majority of `voters`, and of `votersOutgoing` too while joint. */
export type Voters = Pick<Membership, "voters" | "votersOutgoing">;

/**
 * The highest number that a majority has reached. No voters: everything is reached (Infinity), so that an empty half
 * of a joint configuration decides nothing.
 */
export function majorityReached(voters: readonly PeerId[], reachedBy: (id: PeerId) => number): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const sorted: number[] = [];
  for (const id of voters) {
    const value = reachedBy(id);
    let place = sorted.length;
    while (place > 0 && (sorted[place - 1] ?? 0) > value && !isPlanted("quorumUnsorted")) place--;
    sorted.splice(place, 0, value);
  }
  return sorted[sorted.length - majoritySize(voters.length)] ?? 0;
}

/** The highest number that a majority of each half of the configuration has reached (dissertation §4.3). */
export function quorumReached(members: Voters, reachedBy: (id: PeerId) => number): number {
  const incoming = majorityReached(members.voters, reachedBy);
  if (members.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityReached(members.votersOutgoing, reachedBy));
}

/** What a majority decides; undefined: has not voted. No voters: won, for the same reason as above. */
export function majorityVote(voters: readonly PeerId[], voteOf: (id: PeerId) => boolean | undefined): VoteOutcome {
  if (voters.length === 0) return "won";
  const needed = majoritySize(voters.length);
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = voteOf(id);
    if (vote === undefined) missing++;
    else if (vote) granted++;
  }
  if (granted >= needed) return "won";
  return granted + missing >= needed ? "pending" : "lost";
}

/** What both halves of the configuration decide: won when both won, lost when one lost. */
export function quorumVote(members: Voters, voteOf: (id: PeerId) => boolean | undefined): VoteOutcome {
  const incoming = majorityVote(members.voters, voteOf);
  const outgoing = majorityVote(members.votersOutgoing, voteOf);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}

/** Whether this peer has a vote in either half. */
export function isVoter(members: Voters, id: PeerId): boolean {
  return members.voters.includes(id) || members.votersOutgoing.includes(id);
}

/** Everyone with a vote in either half, ascending. */
export function allVoters(members: Voters): readonly PeerId[] {
  const all = new Set([...members.voters, ...members.votersOutgoing]);
  return [...all].sort((left, right) => left - right);
}

function majoritySize(count: number): number {
  return Math.floor(count / 2) + 1;
}
