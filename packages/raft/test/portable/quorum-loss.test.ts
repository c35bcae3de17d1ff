import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { giveLog, heal, isolate, withoutPreVote } from "../thesis-support.ts";
import { idOf, SingleCore } from "./single-core.ts";

/** Quorum loss and disruption of etcd's raft_test; the names of the ported tests are in brackets. */

const both: readonly (readonly [string, (base: Config) => Config])[] = [
  ["without pre-vote", withoutPreVote],
  ["with pre-vote", (base) => base],
];

describe("a leader", () => {
  it.each([
    { answers: true, role: "leader", name: "LeaderStepdownWhenQuorumActive" },
    { answers: false, role: "follower", name: "LeaderStepdownWhenQuorumLost" },
  ] as const)("whose followers answer=$answers is $role after two timeouts ($name)", ({ answers, role }) => {
    const one = new SingleCore().leadAll();
    for (let tick = 0; tick < 20; tick++) {
      one.ticks(1);
      if (answers) one.receive("heartbeatResponse", 2, one.view.term);
    }
    expect(one.view.role).toBe(role);
  });

  it("is not replaced while its followers hear it, and is when they do not (LeaderSupersedingWithCheckQuorum)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    cluster.elect(3);
    expect(cluster.node(3).view().role).toBe("candidate");
    expect(cluster.node(2).view().leader).toBe(1);
    isolate(cluster, 1);
    for (let ticks = 0; ticks < 10; ticks++) cluster.step(2, { kind: "tick" });
    cluster.elect(3);
    expect(cluster.node(3).view().role).toBe("leader");
  });

  it("votes are given at once where no leader is known (LeaderElectionWithCheckQuorum)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    expect(cluster.leader()?.id).toBe(1);
    for (const id of [1, 2]) for (let ticks = 0; ticks < 10; ticks++) cluster.step(id, { kind: "tick" });
    cluster.messages = [];
    cluster.elect(3);
    expect(cluster.leader()?.id).toBe(3);
  });
});

describe.each(both)("a member that was cut off, %s", (_, configure) => {
  it("comes back although its term ran ahead (FreeStuckCandidateWithCheckQuorum, PreVoteMigrationWithFreeStuckPreCandidate)", () => {
    const cluster = new TestCluster({ peers: 3, configure });
    cluster.elect(1);
    isolate(cluster, 3);
    for (let ticks = 0; ticks < 60; ticks++) cluster.step(3, { kind: "tick" });
    cluster.settle();
    heal(cluster);
    cluster.tick(40);
    const terms = cluster.running().map((node) => node.view().term);
    expect(new Set(terms).size).toBe(1);
    expect(cluster.leader()).toBeDefined();
  });

  it("that has no vote there follows the leader when asked to vote (NonPromotableVoterWithCheckQuorum)", () => {
    const cluster = new TestCluster({ peers: 2, configure });
    cluster.node(2).disk.logStart = { ...cluster.node(2).disk.logStart, membership: membershipOf([1]) };
    cluster.node(2).crash();
    cluster.node(2).start();
    cluster.tick(20);
    expect(cluster.node(2).view().role).toBe("follower");
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe("leader");
    expect(cluster.node(2).view().leader).toBe(1);
  });
});

describe("a disruptive follower", () => {
  it("without pre-vote takes the leader down by its higher term (DisruptiveFollower)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    isolate(cluster, 3);
    cluster.elect(3);
    const { term } = cluster.node(3).view();
    expect(term).toBeGreaterThan(cluster.node(1).view().term);
    heal(cluster);
    cluster.step(1, { kind: "tick" });
    cluster.step(1, { kind: "tick" });
    cluster.settle();
    expect(cluster.node(1).view()).toMatchObject({ role: "follower", term });
  });

  it("with pre-vote asks in vain and the leader stays (DisruptiveFollowerPreVote)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 3);
    for (const text of ["a", "b", "c"]) cluster.propose(1, text);
    cluster.settle();
    cluster.elect(3);
    heal(cluster);
    cluster.elect(3);
    expect(cluster.node(3).view().role).toBe("preCandidate");
    cluster.tick(3);
    expect(cluster.node(1).view()).toMatchObject({ role: "leader", term: 1 });
    expect(cluster.node(3).view()).toMatchObject({ role: "follower", leader: 1 });
  });
});

describe("pre-vote", () => {
  it("a node of a smaller term can take part again (NodeWithSmallerTermCanCompleteElection)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 3);
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 2 as never });
    cluster.settle();
    expect(cluster.node(2).view().term).toBeGreaterThan(cluster.node(3).view().term);
    heal(cluster);
    // 3 asks with the shorter log; then the leader is gone, and the two others must find one of them.
    cluster.elect(3);
    cluster.node(2).crash();
    cluster.tick(60);
    expect([1, 3]).toContain(cluster.leader()?.id);
  });

  it("a vote that was split ends in the next round (PreVoteWithSplitVote)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(1).crash();
    for (const id of [2, 3]) cluster.step(id, { kind: "forgetLeader" });
    for (const id of [2, 3]) cluster.step(id, { kind: "campaign" });
    cluster.settle();
    cluster.tick(60);
    expect(cluster.leader()?.view().term).toBeGreaterThanOrEqual(3);
  });

  it("a quorum of those who lost the leader may replace it (PreVoteWithCheckQuorum)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    for (const id of [2, 3]) for (let ticks = 0; ticks < 25; ticks++) cluster.step(id, { kind: "tick" });
    cluster.settle();
    cluster.tick(25);
    expect([2, 3]).toContain(cluster.leader()?.id);
  });

  it("old and new ways of voting get along (PreVoteMigrationCanCompleteElection)", () => {
    const configure = (base: Config): Config => (base.id === 3 ? withoutPreVote(base) : base);
    const cluster = new TestCluster({ peers: 3, configure });
    giveLog(cluster.node(1), [1, 1], 2);
    giveLog(cluster.node(2), [1, 1], 2);
    giveLog(cluster.node(3), [1], 4);
    cluster.node(1).crash();
    cluster.tick(100);
    expect(cluster.leader()?.id).toBe(2);
  });

  it("a refusal carries the term that the lagging candidate needs, a grant the term that was asked for", () => {
    const one = new SingleCore({ term: 7, preVote: true });
    one.receive("voteRequest", 2, 4, { isPreVote: true, last: idOf(3, 9) });
    expect(one.sentOf("voteResponse")).toMatchObject([{ term: 7, isRejected: true, isPreVote: true }]);
    one.receive("voteRequest", 2, 8, { isPreVote: true, last: idOf(3, 9) });
    expect(one.sentOf("voteResponse")).toMatchObject([{ term: 8, isRejected: false, isPreVote: true }]);
  });
});

function membershipOf(voters: readonly number[]) {
  return { voters: voters as never, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}
