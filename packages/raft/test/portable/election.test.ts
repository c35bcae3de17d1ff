import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import type { Message } from "../../src/core/messages.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { giveLog, heal, isolate, termsOf, withoutPreVote } from "../thesis-support.ts";
import { entryOf, idOf, SingleCore } from "./single-core.ts";

/** Elections of etcd's raft_test; the names of the ported tests are in brackets. */

const manners: readonly (readonly [string, boolean, (base: Config) => Config])[] = [
  ["without pre-vote", false, withoutPreVote],
  ["with pre-vote", true, (base) => base],
];

describe.each(manners)("elections %s", (_, preVote, configure) => {
  it.each([
    { dead: [], wins: true },
    { dead: [3], wins: true },
    { dead: [2, 3], wins: false },
  ])("of three with $dead dead: wins=$wins (LeaderElection, LeaderElectionPreVote)", ({ dead, wins }) => {
    const cluster = new TestCluster({ peers: 3, configure });
    for (const id of dead) cluster.node(id).crash();
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe(wins ? "leader" : preVote ? "preCandidate" : "candidate");
    expect(cluster.node(1).view().term).toBe(wins || !preVote ? 1 : 0);
  });

  it("everybody can lead in turn (LeaderCycle, LeaderCyclePreVote)", () => {
    const cluster = new TestCluster({ peers: 3, configure });
    for (const id of [1, 2, 3, 1]) {
      for (const node of cluster.running()) cluster.step(node.id, { kind: "forgetLeader" });
      cluster.elect(id);
      expect(cluster.leader()?.id).toBe(id);
      for (const other of [1, 2, 3]) if (other !== id) expect(cluster.node(other).view().role).toBe("follower");
    }
  });

  it("whoever wins overwrites newer entries that nobody committed (LeaderElectionOverwriteNewerLogs)", () => {
    // 1 won term 1 and only 2 has its entry; 3 won term 2 and only it has that one; 4 and 5 know of the second election.
    const cluster = new TestCluster({ peers: 5, configure });
    for (const id of [1, 2]) giveLog(cluster.node(id), [1], 1);
    giveLog(cluster.node(3), [2], 2);
    for (const id of [4, 5]) giveLog(cluster.node(id), [], 2);
    cluster.node(3).crash();
    for (let attempts = 0; attempts < 3 && cluster.leader()?.id !== 1; attempts++) cluster.elect(1);
    expect(cluster.leader()?.id).toBe(1);
    cluster.node(3).start();
    cluster.tick(20);
    const logs = [1, 2, 3, 4, 5].map((id) => termsOf(cluster.node(id)));
    expect(new Set(logs.map(String)).size).toBe(1);
    expect(logs[0]?.[0]).toBe(1);
  });

  it("alone it leads at once (SingleNodeCandidate, SingleNodePreCandidate)", () => {
    const one = new SingleCore({ voters: [1], preVote }).step({ kind: "campaign" });
    expect(one.view).toMatchObject({ role: "leader", term: 1, commitIndex: 1 });
  });

  it("a lost election leaves the own vote behind it without effect (CandidateSelfVoteAfterLostElection)", () => {
    let isIdle = false;
    const one = new SingleCore({ preVote }, () => isIdle).step({ kind: "campaign" });
    one.receive("heartbeatRequest", 2, 1);
    expect(one.view).toMatchObject({ role: "follower", leader: 2, term: 1 });
    isIdle = true;
    one.ticks(1);
    expect(one.view).toMatchObject({ role: "follower", leader: 2, term: 1 });
  });

  it.each([
    { voters: [1, 2, 3], is: true },
    { voters: [1], is: true },
    { voters: [], is: false },
    { voters: [2, 3], is: false },
  ])("of $voters, member 1 can stand for election: $is (Promotable)", ({ voters, is }) => {
    const one = new SingleCore({ voters, preVote }).ticks(10);
    expect(one.view.role !== "follower").toBe(is);
  });

  it("a leader does not campaign (CampaignWhileLeader, PreCampaignWhileLeader)", () => {
    const one = new SingleCore({ voters: [1], preVote }).step({ kind: "campaign" });
    const { term } = one.view;
    one.step({ kind: "campaign" });
    expect(one.view).toMatchObject({ role: "leader", term });
  });

  it("nobody campaigns with a committed change that it has not applied (ConfChangeCheckBeforeCampaign, V2)", () => {
    const cluster = new TestCluster({ peers: 3, configure });
    cluster.elect(1);
    const change = {
      version: 2,
      transition: "auto",
      steps: [{ action: "remove", peer: 3 }],
      context: new Uint8Array(),
    };
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change: change as never });
    // 2 has it and knows that it is committed; its state machine does not move.
    const two = cluster.node(2);
    for (let rounds = 0; rounds < 10; rounds++) {
      for (const node of cluster.running()) while (node.pendingPersists.length > 0) cluster.persistOne(node);
      const one = cluster.node(1);
      if (one.pendingApplies.length > 0) one.finishApply();
      cluster.collect(one);
      for (const message of cluster.messages.splice(0)) cluster.deliverOne(message);
    }
    expect(two.view().commitIndex).toBeGreaterThan(two.view().appliedIndex);
    cluster.step(2, { kind: "forgetLeader" });
    cluster.step(2, { kind: "campaign" });
    expect(two.view().role).toBe("follower");
    while (two.pendingApplies.length > 0) {
      two.finishApply();
      cluster.collect(two);
    }
    cluster.step(2, { kind: "campaign" });
    expect(two.view().role).not.toBe("follower");
  });

  it("two that compete: one wins, and the other follows in the end (DuelingCandidates, DuelingPreCandidates)", () => {
    const cluster = new TestCluster({ peers: 3, configure });
    cluster.isOpen = ({ from, to }) => from + to !== 4;
    cluster.elect(1);
    cluster.elect(3);
    expect(cluster.node(1).view().role).toBe("leader");
    expect(cluster.node(3).view().role).not.toBe("leader");
    heal(cluster);
    cluster.tick(40);
    const leader = cluster.leader();
    const terms = cluster.running().map((node) => node.view().term);
    expect(new Set(terms).size).toBe(1);
    // With pre-vote the one that was cut off disturbs nobody.
    if (preVote) expect([leader?.id, leader?.view().term]).toEqual([1, 1]);
  });
});

describe("votes", () => {
  const roles = {
    follower: (preVote: boolean) => new SingleCore({ preVote, term: 1 }),
    preCandidate: () => new SingleCore({ preVote: true, term: 1 }).step({ kind: "campaign" }),
    candidate: () => new SingleCore({ term: 1 }).step({ kind: "campaign" }),
    leader: () => new SingleCore({ term: 1 }).lead(),
  };

  it.each(["follower", "preCandidate", "candidate", "leader"] as const)(
    "a %s votes in a higher term when the leader orders it (VoteFromAnyState)",
    (role) => {
      const one = roles[role](false);
      one.sent();
      const term = one.view.term + 5;
      one.receive("voteRequest", 2, term, { last: idOf(term, 42), isTransfer: true });
      expect(one.sentOf("voteResponse")).toMatchObject([{ to: 2, term, isRejected: false }]);
      expect(one.view).toMatchObject({ role: "follower", term, vote: 2 });
    },
  );

  it.each(["follower", "preCandidate", "candidate", "leader"] as const)(
    "a %s answers a pre-vote in the request's term and stays what it is (PreVoteFromAnyState)",
    (role) => {
      const one = roles[role](true);
      one.sent();
      const before = one.view;
      const term = before.term + 5;
      one.receive("voteRequest", 2, term, { last: idOf(term, 42), isPreVote: true, isTransfer: true });
      expect(one.sentOf("voteResponse")).toMatchObject([{ term, isPreVote: true, isRejected: false }]);
      expect(one.view).toMatchObject({ role: before.role, term: before.term, vote: before.vote });
    },
  );

  it.each([
    { log: [1, 1, 2, 2], last: idOf(0, 0), vote: 0, isRejected: true },
    { log: [2, 2], last: idOf(1, 2), vote: 0, isRejected: true },
    { log: [2, 2], last: idOf(1, 3), vote: 0, isRejected: true },
    { log: [2, 2], last: idOf(2, 1), vote: 0, isRejected: true },
    { log: [2, 2], last: idOf(2, 2), vote: 0, isRejected: false },
    { log: [2, 2], last: idOf(2, 3), vote: 0, isRejected: false },
    { log: [2, 2], last: idOf(3, 1), vote: 0, isRejected: false },
    { log: [2, 2], last: idOf(2, 3), vote: 2, isRejected: false },
    { log: [2, 2], last: idOf(2, 3), vote: 3, isRejected: true },
  ])("log $log, voted for $vote, asked with $last: rejected=$isRejected (RecvMsgVote, RecvMsgPreVote)", (shape) => {
    const term = 3;
    const plain = new SingleCore({ log: shape.log, term, vote: shape.vote });
    plain.receive("voteRequest", 2, term, { last: shape.last });
    expect(plain.sentOf("voteResponse")).toMatchObject([{ isRejected: shape.isRejected }]);
    // A pre-vote for a later term does not care for the vote that was given.
    const asked = new SingleCore({ log: shape.log, term, vote: shape.vote, preVote: true });
    asked.receive("voteRequest", 2, term + 1, { last: shape.last, isPreVote: true });
    const isBehind = shape.isRejected && shape.vote === 0;
    expect(asked.sentOf("voteResponse")).toMatchObject([{ isRejected: isBehind }]);
  });

  it.each(["follower", "candidate", "leader"] as const)(
    "a %s steps down for a vote request or an append of a higher term (AllServerStepdown)",
    (role) => {
      for (const kind of ["voteRequest", "appendRequest"] as const) {
        const one = roles[role](false);
        if (kind === "voteRequest") one.receive(kind, 2, 7, { isTransfer: true });
        else one.receive(kind, 2, 7);
        expect(one.view).toMatchObject({ role: "follower", term: 7, leader: kind === "appendRequest" ? 2 : undefined });
      }
    },
  );

  it.each([
    ["heartbeatRequest", "CandidateResetTermMsgHeartbeat"],
    ["appendRequest", "CandidateResetTermMsgApp"],
  ] as const)("a candidate that was cut off comes back by an %s of the leader (%s)", (kind, _name) => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    isolate(cluster, 3);
    for (let ticks = 0; ticks < 40; ticks++) cluster.step(3, { kind: "tick" });
    cluster.settle();
    const three = cluster.node(3);
    expect(three.view().role).toBe("candidate");
    heal(cluster);
    const { term } = three.view();
    const commit = kind === "appendRequest" ? 0 : idOf(0, 0);
    const body = kind === "appendRequest" ? { previous: idOf(0, 0), entries: [] } : { round: 1 };
    const sent = { kind, from: 1, to: 3, term, commit, ...body } as unknown as Message;
    cluster.step(3, { kind: "receive", message: sent });
    expect(three.view()).toMatchObject({ role: "follower", leader: 1, term });
  });

  it("a pre-candidate's own vote that comes late is none for the election after it (CandidateDeliversPreCandidateSelfVoteAfterBecomingCandidate)", () => {
    const one = new SingleCore({ preVote: true, voters: [1, 2, 3, 4, 5] });
    one.step({ kind: "campaign" });
    for (const from of [2, 3]) one.receive("voteResponse", from, 1, { isPreVote: true });
    expect(one.view).toMatchObject({ role: "candidate", term: 1 });
    one.receive("voteResponse", 4, 1, { isPreVote: true });
    one.receive("voteResponse", 2, 1);
    expect(one.view.role).toBe("candidate");
    one.receive("voteResponse", 3, 1);
    expect(one.view.role).toBe("leader");
  });

  it("a leader that lost its term takes no acknowledgement of its own write (LeaderMsgAppSelfAckAfterTermChange)", () => {
    let isIdle = true;
    const one = new SingleCore({}, () => isIdle).leadAll();
    isIdle = false;
    one.propose();
    one.receive("heartbeatRequest", 2, 2);
    isIdle = true;
    one.ticks(1);
    expect(one.view).toMatchObject({ role: "follower", term: 2, leader: 2, commitIndex: 1 });
  });

  it("a candidate gives way to the leader of its term and takes its log (CandidateConcede)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    isolate(cluster, 1);
    cluster.elect(1);
    cluster.elect(3);
    heal(cluster);
    cluster.tick(3);
    cluster.propose(3, "force follower");
    cluster.settle();
    expect(cluster.node(1).view()).toMatchObject({ role: "follower", leader: 3 });
    expect(new Set([1, 2, 3].map((id) => String(termsOf(cluster.node(id))))).size).toBe(1);
  });

  it.each([
    { ticks: 5, share: 0 },
    { ticks: 10, share: 0.1 },
    { ticks: 13, share: 0.4 },
    { ticks: 15, share: 0.6 },
    { ticks: 18, share: 0.9 },
    { ticks: 20, share: 1 },
  ])("after $ticks ticks about $share of all lost patience (PastElectionTimeout)", ({ ticks, share }) => {
    let impatient = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const cluster = new TestCluster({ peers: 3, seed, configure: withoutPreVote });
      cluster.isOpen = () => false;
      for (let passed = 0; passed < ticks; passed++) cluster.step(1, { kind: "tick" });
      if (cluster.node(1).view().role === "candidate") impatient++;
    }
    expect(Math.abs(impatient / 400 - share)).toBeLessThan(0.08);
  });

  it("nobody becomes a leader without having been a candidate (StateTransition)", () => {
    for (const setup of [{ preVote: false }, { preVote: true }]) {
      const one = new SingleCore(setup);
      for (const from of [2, 3]) one.receive("voteResponse", from, 1);
      expect(one.view.role).toBe("follower");
      const led = new SingleCore(setup).lead();
      expect(led.view.role).toBe("leader");
      led.receive("timeoutNow", 2, led.view.term);
      expect(led.view.role).toBe("leader");
    }
  });

  it("entries of a candidate's own log stay when it gives way (entries are only cut off by other entries)", () => {
    const one = new SingleCore({ log: [1, 1], term: 1 }).step({ kind: "campaign" });
    one.receive("heartbeatRequest", 2, 2);
    one.receive("appendRequest", 2, 2, { previous: idOf(1, 1), entries: [entryOf(1, 2)] });
    expect(one.terms).toEqual([1, 1]);
  });
});
