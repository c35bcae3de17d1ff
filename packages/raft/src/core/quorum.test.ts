import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allVoters, majorityReached, majorityVote, quorumReached, quorumVote, type VoteOutcome } from "./quorum.ts";
import type { PeerId } from "./types.ts";

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 }).map((list) => list as PeerId[]);
const reached = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 10, maxLength: 10 });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 10, maxLength: 10 });

/** The highest value for which counting by hand finds more than half. */
function reachedByHand(voters: readonly PeerId[], values: readonly number[]): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  let best = 0;
  for (let value = 0; value <= 10; value++) {
    if (voters.filter((id) => (values[id] ?? 0) >= value).length * 2 > voters.length) best = value;
  }
  return best;
}

function voteByHand(voters: readonly PeerId[], cast: readonly (boolean | undefined)[]): VoteOutcome {
  if (voters.length === 0) return "won";
  if (voters.filter((id) => cast[id] === true).length * 2 > voters.length) return "won";
  return voters.filter((id) => cast[id] !== false).length * 2 > voters.length ? "pending" : "lost";
}

describe("quorum", () => {
  it("reaches what counting by hand reaches, for any voters", () => {
    fc.assert(
      fc.property(ids, reached, (voters, values) => {
        expect(majorityReached(voters, (id) => values[id] ?? 0)).toBe(reachedByHand(voters, values));
      }),
      { numRuns: 2000 },
    );
  });

  it("of a joint configuration is the lower of both, whichever comes first", () => {
    fc.assert(
      fc.property(ids, ids, reached, (voters, votersOutgoing, values) => {
        const by = (id: PeerId): number => values[id] ?? 0;
        const joint = quorumReached({ voters, votersOutgoing }, by);
        expect(joint).toBe(Math.min(reachedByHand(voters, values), reachedByHand(votersOutgoing, values)));
        expect(joint).toBe(quorumReached({ voters: votersOutgoing, votersOutgoing: voters }, by));
      }),
      { numRuns: 2000 },
    );
  });

  it("votes as counting by hand does, in both halves", () => {
    fc.assert(
      fc.property(ids, ids, votes, (voters, votersOutgoing, cast) => {
        const of = (id: PeerId): boolean | undefined => cast[id];
        expect(majorityVote(voters, of)).toBe(voteByHand(voters, cast));
        const halves = [voteByHand(voters, cast), voteByHand(votersOutgoing, cast)];
        const expected = halves.includes("lost") ? "lost" : halves.includes("pending") ? "pending" : "won";
        expect(quorumVote({ voters, votersOutgoing }, of)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("two quorums always share a voter: two winners in one term cannot be", () => {
    fc.assert(
      fc.property(ids, votes, (voters, cast) => {
        const first = majorityVote(voters, (id) => cast[id] === true);
        const second = majorityVote(voters, (id) => cast[id] !== true);
        expect(first === "won" && second === "won").toBe(voters.length === 0);
      }),
    );
  });

  it("visits every voter once, ascending", () => {
    const voters = [3, 1] as PeerId[];
    expect(allVoters({ voters, votersOutgoing: [2, 3] as PeerId[] })).toEqual([1, 2, 3]);
  });
});
