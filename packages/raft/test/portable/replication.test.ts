import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { entry, giveLog, heal, isolate, termsOf, texts, withoutPreVote } from "../thesis-support.ts";
import { entryOf, idOf, SingleCore } from "./single-core.ts";

/** Replication of etcd's raft_test; the names of the ported tests are in brackets. */

describe("replication", () => {
  it.each([
    { propose: [1], wanted: ["m0"] },
    { propose: [1, 1], wanted: ["m0", "m1"] },
  ])("what is proposed reaches all, learners too (LogReplication, LearnerLogReplication)", ({ propose, wanted }) => {
    const cluster = new TestCluster({ peers: 3, spares: 1 });
    cluster.elect(1);
    const steps = [{ action: "addLearner", peer: 4 }] as const;
    const change = { version: 2, transition: "auto", steps: steps as never, context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change });
    cluster.tick(5);
    propose.forEach((id, place) => cluster.propose(id, `m${place}`));
    cluster.settle();
    cluster.tick(2);
    for (const id of [1, 2, 3, 4]) expect(texts(cluster.node(id))).toEqual(wanted);
    expect(
      cluster
        .node(1)
        .view()
        .peers.find(({ id }) => id === 4)?.matchIndex,
    ).toBe(cluster.node(1).view().lastIndex);
  });

  it("a group of one commits alone (SingleNodeCommit)", () => {
    const one = new SingleCore({ voters: [1] }).step({ kind: "campaign" });
    one.propose("a");
    one.propose("b");
    expect(one.view.commitIndex).toBe(3);
  });

  it("entries of an earlier term wait for one of the own term (CannotCommitWithoutNewTermEntry, CommitWithoutNewTermEntry)", () => {
    const cluster = new TestCluster({ peers: 5, configure: withoutPreVote });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    for (const text of ["a", "b"]) cluster.propose(1, text);
    cluster.settle();
    expect(cluster.node(1).view().commitIndex).toBe(1);
    // 2 leads next, and only empty appends get through: nothing old is committed by counting.
    heal(cluster);
    cluster.isOpen = (message) => message.kind !== "appendRequest";
    for (const id of [2, 3, 4, 5]) cluster.step(id, { kind: "forgetLeader" });
    cluster.elect(2);
    expect(cluster.node(2).view()).toMatchObject({ role: "leader", commitIndex: 1 });
    heal(cluster);
    cluster.tick(5);
    expect(cluster.node(2).view().commitIndex).toBe(4);
    expect(texts(cluster.node(4))).toEqual(["a", "b"]);
  });

  it("an append of a leader long gone changes nothing (OldMessages)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    for (const id of [1, 2, 1]) {
      for (const node of cluster.running()) cluster.step(node.id, { kind: "forgetLeader" });
      cluster.isOpen = () => true;
      const leader = cluster.leader();
      if (leader !== undefined && leader.id !== id)
        cluster.step(leader.id, { kind: "transfer", ref: cluster.newRef(), to: id as never });
      else cluster.elect(id);
      cluster.settle();
    }
    const before = termsOf(cluster.node(1));
    const old = {
      kind: "appendRequest",
      from: 2,
      to: 1,
      term: 2,
      previous: idOf(2, 2),
      entries: [entry(2, 3)],
      commit: 0,
    };
    cluster.step(1, { kind: "receive", message: old as never });
    cluster.propose(1, "new");
    cluster.settle();
    expect(termsOf(cluster.node(1)).slice(0, before.length)).toEqual(before);
    for (const id of [1, 2, 3]) expect(texts(cluster.node(id))).toEqual(["new"]);
  });

  it.each([
    { size: 3, dead: [], isCommitted: true },
    { size: 3, dead: [3], isCommitted: true },
    { size: 3, dead: [2, 3], isCommitted: false },
    { size: 4, dead: [3, 4], isCommitted: false },
    { size: 5, dead: [4, 5], isCommitted: true },
  ])(
    "of $size with $dead dead after the election: committed=$isCommitted (Proposal)",
    ({ size, dead, isCommitted }) => {
      const cluster = new TestCluster({ peers: size });
      cluster.elect(1);
      for (const id of dead) cluster.node(id).crash();
      cluster.propose(1, "data");
      cluster.settle();
      expect(texts(cluster.node(1)).length === 1).toBe(isCommitted);
    },
  );

  it.each([{ dead: [] }, { dead: [3] }])(
    "a follower passes a proposal on if it is to, with $dead dead (ProposalByProxy)",
    ({ dead }) => {
      const configure = (base: Config): Config => ({ ...base, switches: { ...base.switches, forwardProposals: true } });
      const cluster = new TestCluster({ peers: 3, configure });
      cluster.elect(1);
      for (const id of dead) cluster.node(id).crash();
      cluster.propose(2, "by proxy");
      cluster.settle();
      expect(texts(cluster.node(1))).toEqual(["by proxy"]);
    },
  );

  it.each([
    { old: [], own: 1, acks: [1], commit: 1 },
    { old: [1], own: 1, acks: [1], commit: 0 },
    { old: [1], own: 1, acks: [2], commit: 2 },
    { old: [1], own: 2, acks: [2], commit: 2 },
    { old: [1, 1], own: 1, acks: [2, 1], commit: 0 },
    { old: [1, 1], own: 1, acks: [3, 1], commit: 3 },
    { old: [1], own: 2, acks: [3, 2], commit: 3 },
    { old: [1], own: 2, acks: [1, 1, 3], commit: 0 },
    { old: [1], own: 2, acks: [2, 1, 3], commit: 2 },
    { old: [1, 1], own: 1, acks: [2, 2, 2, 2], commit: 0 },
    { old: [1, 1], own: 2, acks: [2, 2, 3, 4], commit: 3 },
  ])(
    "over $old it adds $own, others acknowledge $acks: committed is $commit (Commit)",
    ({ old, own, acks, commit }) => {
      const voters = [1, ...acks.map((_, place) => place + 2)];
      const one = new SingleCore({ voters, log: old }).lead();
      for (let added = 1; added < own; added++) one.propose();
      acks.forEach((index, place) => one.acknowledge(place + 2, index));
      expect(one.view.commitIndex).toBe(commit);
    },
  );
});

describe("a follower", () => {
  it.each([
    { previous: idOf(3, 2), terms: [], commit: 3, last: 2, committed: 0, isRejected: true },
    { previous: idOf(3, 3), terms: [], commit: 3, last: 2, committed: 0, isRejected: true },
    { previous: idOf(1, 1), terms: [], commit: 1, last: 2, committed: 1, isRejected: false },
    { previous: idOf(0, 0), terms: [3], commit: 1, last: 1, committed: 1, isRejected: false },
    { previous: idOf(2, 2), terms: [3, 3], commit: 3, last: 4, committed: 3, isRejected: false },
    { previous: idOf(2, 2), terms: [3], commit: 4, last: 3, committed: 3, isRejected: false },
    { previous: idOf(1, 1), terms: [3], commit: 4, last: 2, committed: 2, isRejected: false },
    { previous: idOf(1, 1), terms: [], commit: 3, last: 2, committed: 1, isRejected: false },
    { previous: idOf(1, 1), terms: [3], commit: 3, last: 2, committed: 2, isRejected: false },
    { previous: idOf(2, 2), terms: [], commit: 3, last: 2, committed: 2, isRejected: false },
    { previous: idOf(2, 2), terms: [], commit: 4, last: 2, committed: 2, isRejected: false },
  ])("with [1, 2] takes $terms after $previous, commit $commit (HandleMsgApp)", (shape) => {
    const entries = shape.terms.map((term, place) => entryOf(term, shape.previous.index + place + 1));
    const one = new SingleCore({ log: [1, 2], term: 3 });
    one.receive("appendRequest", 2, 3, { previous: shape.previous, entries, commit: shape.commit as never });
    expect(one.view).toMatchObject({ lastIndex: shape.last, commitIndex: shape.committed });
    expect(one.sentOf("appendResponse")[0]?.hint !== undefined).toBe(shape.isRejected);
  });

  it.each([
    { commit: idOf(3, 3), committed: 3 },
    { commit: idOf(1, 1), committed: 2 },
  ])("knowing 2 of [1, 2, 3] as committed hears $commit by heartbeat (HandleHeartbeat)", ({ commit, committed }) => {
    const one = new SingleCore({ log: [1, 2, 3], term: 3, commit: 2 }).receive("heartbeatRequest", 2, 3, { commit });
    expect(one.view.commitIndex).toBe(committed);
    expect(one.sentOf("heartbeatResponse")).toHaveLength(1);
  });

  it("ignores what is of an earlier term, whatever it is (StepIgnoreOldTermMsg)", () => {
    const one = new SingleCore({ term: 2, log: [1] });
    const before = one.view;
    for (const kind of ["appendRequest", "heartbeatRequest", "voteResponse", "timeoutNow"] as const)
      one.receive(kind, 2, 1);
    expect(one.view).toEqual(before);
  });
});

describe("a leader", () => {
  it("sends what is missing when a heartbeat is answered, until it has an acknowledgement (HandleHeartbeatResp)", () => {
    const one = new SingleCore({ voters: [1, 2], log: [1, 2, 3], term: 3 }).lead();
    one.sent();
    for (const attempt of [1, 2]) {
      one.receive("heartbeatResponse", 2, one.view.term);
      expect([attempt, one.sentOf("appendRequest").length]).toEqual([attempt, 1]);
    }
    one.acknowledge(2);
    one.sent();
    one.receive("heartbeatResponse", 2, one.view.term);
    expect(one.sentOf("appendRequest")).toEqual([]);
  });

  it.each([
    // To know that nothing agrees is enough to stream from the beginning of what was probed.
    { answer: { index: 0 }, match: 0, next: 4 },
    { answer: { index: 2, hint: idOf(0, 2) }, match: 0, next: 2 },
    { answer: { index: 2 }, match: 2, next: 4 },
  ])("that probes takes $answer: match $match, next $next (LeaderAppResp)", ({ answer, match, next }) => {
    const one = new SingleCore({ log: [0, 1].map(() => 1), term: 1 }).lead();
    one.receive("appendResponse", 2, one.view.term, answer as never);
    expect(one.peer(2).matchIndex).toBe(match);
    expect(one.peer(2).nextIndex).toBe(next);
  });

  it("tells each what it knows by heartbeat: no more than it is known to have, when told so (BcastBeat)", () => {
    const cap = (isTrue: boolean): SingleCore => {
      const base = new SingleCore({ log: [1, 1, 1], term: 1 });
      const switches = { ...productOf(base), commitInHeartbeats: isTrue };
      const one = new SingleCore({ log: [1, 1, 1], term: 1, config: { switches } }).lead();
      one.acknowledge(2);
      one.acknowledge(3, 2);
      one.sent();
      return one;
    };
    expect(
      cap(false)
        .ticks(1)
        .sentOf("heartbeatRequest")
        .map(({ commit }) => commit.index),
    ).toEqual([4, 2]);
    expect(
      cap(true)
        .ticks(1)
        .sentOf("heartbeatRequest")
        .map(({ commit }) => commit),
    ).toEqual([idOf(2, 4), idOf(2, 4)]);
  });

  it.each(["follower", "candidate", "leader"] as const)(
    "of all roles only it sends heartbeats: %s (RecvMsgBeat)",
    (role) => {
      const one = new SingleCore();
      if (role === "candidate") one.step({ kind: "campaign" });
      if (role === "leader") one.lead();
      one.sent();
      expect(one.ticks(1).sentOf("heartbeatRequest")).toHaveLength(role === "leader" ? 2 : 0);
    },
  );

  it.each([
    { leader: [1, 2, 2, 4, 4, 4, 4], follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], hint: idOf(3, 7), next: 4 },
    { leader: [1, 2, 2, 3, 4, 4, 4, 5], follower: [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3], hint: idOf(3, 8), next: 5 },
    { leader: [1, 1, 1, 1, 1, 1, 1, 1, 1, 5], follower: [1, 1, 4, 4, 4, 4], hint: idOf(4, 6), next: 7 },
    { leader: [1, 1, 1, 1, 1, 1], follower: [1, 2, 2, 4, 4, 4, 4, 4], hint: idOf(1, 1), next: 2 },
    { leader: [1, 3, 3, 3, 4, 4, 4], follower: [1, 2, 2, 2, 2, 2], hint: idOf(2, 6), next: 2 },
    { leader: [2, 2, 2, 2, 2], follower: [1, 1], hint: idOf(1, 2), next: 1 },
  ])(
    "$leader finds out where $follower may agree, a term at a time (FastLogRejection)",
    ({ leader, follower, hint, next }) => {
      const term = 6;
      const one = new SingleCore({ log: leader, term }).lead();
      const probe = one.sentOf("appendRequest").find(({ to }) => to === 2);
      const two = new SingleCore({ id: 2, log: follower, term });
      two.receive("appendRequest", 1, term + 1, {
        previous: probe?.previous ?? idOf(0, 0),
        entries: probe?.entries ?? [],
      });
      const [answer] = two.sentOf("appendResponse");
      expect(answer?.hint).toEqual(hint);
      one.receive("appendResponse", 2, term + 1, { index: answer?.index ?? (0 as never), hint: answer?.hint ?? hint });
      expect(one.peer(2)).toMatchObject({ nextIndex: next, matchIndex: 0 });
    },
  );

  it("acknowledgements in any order move it forward only (LogReplicationWithReorderedMessage)", () => {
    const one = new SingleCore({ voters: [1, 2] }).leadAll();
    for (const text of ["a", "b", "c"]) one.propose(text);
    for (const index of [4, 2, 3]) one.acknowledge(2, index);
    expect(one.peer(2)).toMatchObject({ matchIndex: 4, nextIndex: 5, state: "replicate" });
    // A refusal that comes late is about what is known to agree.
    one.receive("appendResponse", 2, one.view.term, { index: 3 as never, hint: idOf(1, 1) });
    expect(one.peer(2)).toMatchObject({ matchIndex: 4, nextIndex: 5, state: "replicate" });
    expect(one.view.commitIndex).toBe(4);
  });

  it("a group catches up whoever is behind, whatever was cut off (LogReplication after a partition)", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 2, 3], 3);
    giveLog(cluster.node(2), [1, 1, 1, 1], 1);
    cluster.elect(1);
    cluster.tick(5);
    for (const id of [2, 3]) expect(termsOf(cluster.node(id))).toEqual(termsOf(cluster.node(1)));
  });
});

function productOf(one: SingleCore): Config["switches"] {
  return one.config.switches;
}
