import { describe, expect, it } from "vitest";
import { TestCluster } from "../../src/testing/cluster.ts";
import { giveLog, termsOf, withoutPreVote } from "../thesis-support.ts";
import { entryOf, idOf, SingleCore } from "./single-core.ts";

/** The cases of etcd's raft_paper_test, by section of the extended paper; the name of each ported test is in brackets. */

const started = {
  follower: () => new SingleCore({ term: 1 }),
  candidate: () => new SingleCore({ term: 1 }).step({ kind: "campaign" }),
  leader: () => new SingleCore({ term: 1 }).lead(),
};

describe("5.1", () => {
  it.each([
    ["follower", "FollowerUpdateTermFromMessage"],
    ["candidate", "CandidateUpdateTermFromMessage"],
    ["leader", "LeaderUpdateTermFromMessage"],
  ] as const)("a %s follows whoever has a higher term (%s)", (role, _name) => {
    const one = started[role]().receive("appendRequest", 2, 5);
    expect(one.view).toMatchObject({ role: "follower", term: 5, leader: 2 });
  });

  it("a message of an earlier term changes nothing (RejectStaleTermMessage)", () => {
    const one = new SingleCore({ term: 3 });
    const before = one.view;
    one.receive("appendRequest", 2, 2, { entries: [entryOf(2, 1)] });
    expect(one.view).toEqual(before);
  });
});

describe("5.2", () => {
  it("begins as a follower (StartAsFollower)", () => expect(new SingleCore().view.role).toBe("follower"));

  it("a leader tells all others with every heartbeat (LeaderBcastBeat)", () => {
    const one = new SingleCore({ term: 1 }).leadAll();
    for (let number = 0; number < 10; number++) one.propose();
    one.sent();
    const beats = one.ticks(1).sentOf("heartbeatRequest");
    expect(beats.map(({ to, term }) => [to, term])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  it.each([
    ["follower", "FollowerStartElection"],
    ["candidate", "CandidateStartNewElection"],
  ] as const)("a %s without a leader asks for votes in the next term (%s)", (role, _name) => {
    const one = started[role]();
    const { term } = one.view;
    one.sent();
    const asked = one.ticks(10).sentOf("voteRequest");
    expect(one.view).toMatchObject({ role: "candidate", term: term + 1, vote: 1 });
    expect(asked.map((request) => [request.to, request.term])).toEqual([
      [2, term + 1],
      [3, term + 1],
    ]);
  });

  it.each([
    { size: 1, votes: {}, role: "leader" },
    { size: 3, votes: { 2: true, 3: true }, role: "leader" },
    { size: 3, votes: { 2: true }, role: "leader" },
    { size: 5, votes: { 2: true, 3: true, 4: true, 5: true }, role: "leader" },
    { size: 5, votes: { 2: true, 3: true }, role: "leader" },
    { size: 3, votes: { 2: false, 3: false }, role: "follower" },
    { size: 5, votes: { 2: false, 3: false, 4: false, 5: false }, role: "follower" },
    { size: 5, votes: { 2: true, 3: false, 4: false, 5: false }, role: "follower" },
    { size: 3, votes: {}, role: "candidate" },
    { size: 5, votes: { 2: true }, role: "candidate" },
    { size: 5, votes: { 2: false, 3: false }, role: "candidate" },
    { size: 5, votes: {}, role: "candidate" },
  ])("an election of $size with $votes ends as $role (LeaderElectionInOneRoundRPC)", ({ size, votes, role }) => {
    const voters = Array.from({ length: size }, (_, place) => place + 1);
    const one = new SingleCore({ voters }).step({ kind: "campaign" });
    for (const [from, isGranted] of Object.entries(votes))
      one.receive("voteResponse", Number(from), 1, { isRejected: !isGranted });
    expect(one.view).toMatchObject({ role, term: 1 });
  });

  it.each([
    { vote: 0, from: 2, isRejected: false },
    { vote: 0, from: 3, isRejected: false },
    { vote: 2, from: 2, isRejected: false },
    { vote: 3, from: 3, isRejected: false },
    { vote: 2, from: 3, isRejected: true },
    { vote: 3, from: 2, isRejected: true },
  ])("who voted for $vote answers $from with rejected=$isRejected (FollowerVote)", ({ vote, from, isRejected }) => {
    const one = new SingleCore({ term: 1, vote }).receive("voteRequest", from, 1);
    expect(one.sentOf("voteResponse")).toMatchObject([{ to: from, term: 1, isRejected }]);
  });

  it.each([1, 2])("a candidate of term 1 gives way to a leader of term %i (CandidateFallback)", (term) => {
    const one = new SingleCore().step({ kind: "campaign" }).receive("appendRequest", 2, term);
    expect(one.view).toMatchObject({ role: "follower", term, leader: 2 });
  });

  it("timeouts are spread over one to two election timeouts and seldom collide (FollowerElectionTimeoutRandomized, CandidateElectionTimeoutRandomized, FollowersElectionTimeoutNonconflict, CandidatesElectionTimeoutNonconflict)", () => {
    const seen = new Set<number>();
    let conflicts = 0;
    const rounds = 300;
    for (let seed = 1; seed <= rounds; seed++) {
      const cluster = new TestCluster({ peers: 5, seed, configure: withoutPreVote });
      cluster.isOpen = () => false;
      const at = new Map<number, number>();
      for (let tick = 1; tick <= 20; tick++) {
        for (const node of cluster.running()) {
          cluster.step(node.id, { kind: "tick" });
          if (node.view().role === "candidate" && !at.has(node.id)) at.set(node.id, tick);
        }
      }
      for (const tick of at.values()) seen.add(tick);
      const [first, second] = [...at.values()].sort((left, right) => left - right);
      if (first === second) conflicts++;
    }
    expect([...seen].sort((left, right) => left - right)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(conflicts / rounds).toBeLessThan(0.5);
  });
});

describe("5.3", () => {
  it("a leader sends what is proposed to all others at once (LeaderStartReplication)", () => {
    const one = new SingleCore().leadAll();
    const { lastIndex } = one.view;
    one.propose("data");
    const appends = one.sentOf("appendRequest");
    expect(appends).toMatchObject([2, 3].map((to) => ({ to, previous: { index: lastIndex }, commit: lastIndex })));
    expect(appends[0]?.entries).toEqual([entryOf(1, lastIndex + 1, "data")]);
    expect(one.view).toMatchObject({ lastIndex: lastIndex + 1, commitIndex: lastIndex });
  });

  it("what a majority has is committed and applied, and the others are told (LeaderCommitEntry)", () => {
    const one = new SingleCore().leadAll();
    one.propose("data");
    one.sent();
    one.acknowledge(2);
    expect(one.view.commitIndex).toBe(2);
    expect(one.applied[1]).toEqual(entryOf(1, 2, "data"));
    expect(one.sentOf("appendRequest").map(({ to, commit }) => [to, commit])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  it.each([
    { size: 1, from: [], isCommitted: true },
    { size: 3, from: [], isCommitted: false },
    { size: 3, from: [2], isCommitted: true },
    { size: 3, from: [2, 3], isCommitted: true },
    { size: 5, from: [], isCommitted: false },
    { size: 5, from: [2], isCommitted: false },
    { size: 5, from: [2, 3], isCommitted: true },
    { size: 5, from: [2, 3, 4], isCommitted: true },
  ])(
    "of $size, acknowledged by $from: committed=$isCommitted (LeaderAcknowledgeCommit)",
    ({ size, from, isCommitted }) => {
      const one = new SingleCore({ voters: Array.from({ length: size }, (_, place) => place + 1) }).leadAll();
      one.propose();
      for (const id of from) one.acknowledge(id);
      expect(one.view.commitIndex >= 2).toBe(isCommitted);
    },
  );

  it.each([[[]], [[2]], [[1, 2]], [[1]]])(
    "everything before goes with it: a log of %j (LeaderCommitPrecedingEntries)",
    (log) => {
      const one = new SingleCore({ log, term: 2 }).lead();
      one.propose("data");
      one.acknowledge(2);
      expect(one.applied.map(({ index }) => index)).toEqual(
        Array.from({ length: log.length + 2 }, (_, place) => place + 1),
      );
    },
  );

  it.each([
    { texts: ["a"], commit: 1 },
    { texts: ["a", "b"], commit: 2 },
    { texts: ["b", "a"], commit: 2 },
    { texts: ["a", "b"], commit: 1 },
  ])("a follower applies $texts up to $commit (FollowerCommitEntry)", ({ texts, commit }) => {
    const entries = texts.map((text, place) => entryOf(1, place + 1, text));
    const one = new SingleCore().receive("appendRequest", 2, 1, { entries, commit: commit as never });
    expect(one.applied).toEqual(entries.slice(0, commit));
  });

  it.each([
    { previous: idOf(0, 0), answer: { index: 1 } },
    { previous: idOf(1, 1), answer: { index: 1 } },
    { previous: idOf(2, 2), answer: { index: 2 } },
    { previous: idOf(1, 2), answer: { index: 2, hint: idOf(1, 1) } },
    { previous: idOf(3, 3), answer: { index: 3, hint: idOf(2, 2) } },
  ])("a follower compares the entry before: $previous (FollowerCheckMsgApp)", ({ previous, answer }) => {
    const one = new SingleCore({ log: [1, 2], commit: 1 }).receive("appendRequest", 2, 3, { previous });
    expect(one.sentOf("appendResponse")).toMatchObject([answer]);
  });

  it.each([
    { previous: idOf(2, 2), terms: [3], log: [1, 2, 3] },
    { previous: idOf(1, 1), terms: [3, 4], log: [1, 3, 4] },
    { previous: idOf(0, 0), terms: [1], log: [1, 2] },
    { previous: idOf(0, 0), terms: [3], log: [3] },
  ])("after $previous come $terms: the log is $log (FollowerAppendEntries)", ({ previous, terms, log }) => {
    const entries = terms.map((term, place) => entryOf(term, previous.index + place + 1));
    const one = new SingleCore({ log: [1, 2], term: 4 }).receive("appendRequest", 2, 4, { previous, entries });
    expect(one.terms).toEqual(log);
  });

  it.each([
    [[1, 1, 1, 4, 4, 5, 5, 6, 6]],
    [[1, 1, 1, 4]],
    [[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    [[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    [[1, 1, 1, 4, 4, 4, 4]],
    [[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("figure 7: a follower with %j gets the leader's log (LeaderSyncFollowerLog)", (log) => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    giveLog(cluster.node(1), leaderLog, 8);
    giveLog(cluster.node(2), log, 7);
    cluster.isOpen = ({ from, to }) => from !== 3 || to !== 2;
    cluster.elect(1);
    cluster.propose(1, "x");
    cluster.tick(20);
    expect(termsOf(cluster.node(2))).toEqual(termsOf(cluster.node(1)));
  });
});

describe("5.4", () => {
  it.each([[[1]], [[1, 2]]])("a vote request names the last entry of %j (VoteRequest)", (log) => {
    const one = new SingleCore({ log }).step({ kind: "campaign" });
    const last = idOf(log[log.length - 1] ?? 0, log.length);
    expect(one.sentOf("voteRequest").map((request) => request.last)).toEqual([last, last]);
  });

  it.each([
    { log: [1], last: idOf(1, 1), isRejected: false },
    { log: [1], last: idOf(1, 2), isRejected: false },
    { log: [1, 1], last: idOf(1, 1), isRejected: true },
    { log: [1], last: idOf(2, 1), isRejected: false },
    { log: [1], last: idOf(2, 2), isRejected: false },
    { log: [1, 1], last: idOf(2, 1), isRejected: false },
    { log: [2], last: idOf(1, 1), isRejected: true },
    { log: [2], last: idOf(1, 2), isRejected: true },
    { log: [2, 1], last: idOf(1, 1), isRejected: true },
  ])("a voter with $log answers a candidate with $last: rejected=$isRejected (Voter)", ({ log, last, isRejected }) => {
    const one = new SingleCore({ log, term: 2 }).receive("voteRequest", 2, 3, { last });
    expect(one.sentOf("voteResponse")).toMatchObject([{ isRejected }]);
  });

  it.each([
    { index: 1, commit: 0 },
    { index: 2, commit: 0 },
    { index: 3, commit: 3 },
  ])(
    "figure 8: acknowledged up to $index, committed up to $commit (LeaderOnlyCommitsLogFromCurrentTerm)",
    ({ index, commit }) => {
      const one = new SingleCore({ log: [1, 2], term: 2 }).lead();
      one.propose();
      one.acknowledge(2, index);
      expect(one.view.commitIndex).toBe(commit);
    },
  );
});
