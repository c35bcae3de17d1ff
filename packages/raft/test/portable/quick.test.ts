import { describe, expect, it } from "vitest";
import { emptyMembership, type Membership, type MemberStep } from "../../src/core/entries.ts";
import { changeMembership, changeSimply, enterJoint, leaveJoint } from "../../src/core/membership.ts";
import { majorityReached, majorityVote, quorumReached, quorumVote } from "../../src/core/quorum.ts";
import type { PeerId } from "../../src/core/types.ts";
import { bootFrom } from "../../src/testing/test-node.ts";
import { createRaft } from "../../src/core/create-raft.ts";
import { defaultConfig } from "../../src/core/config.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

/** etcd's quick tests (confchange/quick_test, confchange/restore_test, quorum/quick_test); names in brackets. */

const actions = ["addVoter", "addLearner", "remove", "update"] as const;

function drawSteps(random: () => number, count: number): MemberStep[] {
  return Array.from({ length: count }, () => ({
    action: actions[Math.floor(random() * actions.length)] ?? "update",
    peer: (1 + Math.floor(random() * 9)) as PeerId,
  }));
}

function must<T>(outcome: { ok: true; value: T } | { ok: false; error: string }): T {
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.value;
}

describe("1,000 lists of changes (ConfChangeQuick)", () => {
  it("reach the same one by one and in one joint change, left by itself or on demand", () => {
    const random = seededRandom(20_190_701);
    let made = 0;
    for (let list = 0; list < 1000; list++) {
      // Member 1 stays, so that there is always a voter; the others come and go.
      const setup = drawSteps(random, 1 + Math.floor(random() * 5)).filter(({ peer }) => peer !== 1);
      let start: Membership = { ...emptyMembership, voters: [1 as PeerId] };
      for (const step of setup) start = must(changeSimply(start, [step])).membership;
      const steps = drawSteps(random, 1 + Math.floor(random() * 10)).filter(({ peer }) => peer !== 1);
      let simple = start;
      for (const step of steps) simple = must(changeSimply(simple, [step])).membership;
      for (const autoLeave of [false, true]) {
        const joint = must(enterJoint(start, { steps, autoLeave })).membership;
        expect(joint.votersOutgoing).toEqual(start.voters);
        expect(must(leaveJoint(joint)).membership).toEqual(simple);
      }
      made += steps.length;
    }
    expect(made).toBeGreaterThan(4000);
  });
});

describe("a membership from any state (Restore)", () => {
  it("comes back as it was from a log's start, 1,000 times", () => {
    const random = seededRandom(4);
    for (let turn = 0; turn < 1000; turn++) {
      let membership: Membership = { ...emptyMembership, voters: [1 as PeerId] };
      for (const step of drawSteps(random, 8).filter(({ peer }) => peer !== 1))
        membership = must(changeSimply(membership, [step])).membership;
      if (turn % 2 === 0) {
        const steps = drawSteps(random, 4).filter(({ peer }) => peer !== 1);
        membership = must(enterJoint(membership, { steps, autoLeave: turn % 4 === 0 })).membership;
      }
      const logStart = { term: 3 as never, index: 7 as never, membership };
      const hardState = { term: 3 as never, vote: 0 as PeerId, commit: 7 as never };
      const core = createRaft(
        defaultConfig(1 as PeerId),
        bootFrom({ hardState, logStart, entries: [], lost: [] }, 7 as never),
        random,
      );
      expect(core.view().membership).toEqual(membership);
      expect(core.membershipAt(7 as never)).toEqual(membership);
      if (membership.votersOutgoing.length === 0) continue;
      const leave = { version: 2, transition: "auto", steps: [], context: new Uint8Array() } as const;
      expect(must(changeMembership(membership, leave)).membership.votersOutgoing).toEqual([]);
    }
  });
});

describe("50,000 configurations (quorum Quick)", () => {
  /** Tries every value: is there a majority at or above it? */
  const dumbReached = (voters: readonly number[], values: ReadonlyMap<number, number>): number => {
    if (voters.length === 0) return Infinity;
    const tried = [0, ...values.values()];
    return Math.max(
      ...tried.filter((index) => voters.filter((id) => (values.get(id) ?? 0) >= index).length * 2 > voters.length),
    );
  };
  const dumbVote = (voters: readonly number[], votes: ReadonlyMap<number, boolean>): string => {
    const yes = voters.filter((id) => votes.get(id) === true).length;
    const no = voters.filter((id) => votes.get(id) === false).length;
    if (voters.length === 0 || yes * 2 > voters.length) return "won";
    return no * 2 >= voters.length ? "lost" : "pending";
  };

  it("commit and vote as a dumb second implementation does, alone and in two halves", { timeout: 30_000 }, () => {
    const random = seededRandom(50_000);
    for (let turn = 0; turn < 50_000; turn++) {
      const draw = (): PeerId[] =>
        Array.from({ length: 9 }, (_, place) => (place + 1) as PeerId).filter(() => random() < 0.4);
      const [first, second] = [draw(), draw()];
      const values = new Map<number, number>();
      const votes = new Map<number, boolean>();
      for (const id of [...first, ...second]) {
        if (random() < 0.8) values.set(id, 1 + Math.floor(random() * 50));
        if (random() < 0.6) votes.set(id, random() < 0.5);
      }
      const reachedBy = (id: PeerId): number => values.get(id) ?? 0;
      const voteOf = (id: PeerId): boolean | undefined => votes.get(id);
      const halves = { voters: first, votersOutgoing: second };
      const reached = [majorityReached(first, reachedBy), quorumReached(halves, reachedBy)];
      const lower = Math.min(dumbReached(first, values), dumbReached(second, values));
      const results = [dumbVote(first, votes), dumbVote(second, votes)];
      const both = results[0] === results[1] ? results[0] : results.includes("lost") ? "lost" : "pending";
      const dumb = [dumbReached(first, values), lower, results[0], both];
      // One comparison a turn: expectations are slow.
      const actual = [...reached, majorityVote(first, voteOf), quorumVote(halves, voteOf)];
      if (actual.some((value, place) => value !== dumb[place])) expect([turn, ...actual]).toEqual([turn, ...dumb]);
    }
  });
});
