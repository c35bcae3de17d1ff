import { describe, expect, it } from "vitest";
import type { PeerId } from "../../src/core/types.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { isolate, withoutPreVote } from "../thesis-support.ts";
import { changeOf, idOf, SingleCore } from "./single-core.ts";

/** The membership part of etcd's raft_test and rawnode_test; names in brackets. */

/** A leader that is all of the group, so that whatever it appends is applied at once. */
const alone = (): SingleCore => new SingleCore({ voters: [1] }).step({ kind: "campaign" });

describe("changes", () => {
  it.each([
    { steps: "v2", voters: [1, 2], learners: [], name: "AddNode" },
    { steps: "l2", voters: [1], learners: [2], name: "AddLearner" },
    { steps: "v1", voters: [1], learners: [], name: "ProposeAddDuplicateNode" },
    { steps: "u2", voters: [1], learners: [], name: "an update changes nobody" },
  ])("$steps makes voters $voters, learners $learners ($name)", ({ steps, voters, learners }) => {
    const one = alone();
    const ref = one.change(steps);
    expect(one.view.membership).toMatchObject({ voters, learners, votersOutgoing: [] });
    expect(one.replyTo(ref)).toMatchObject({ kind: "committed" });
    // The same again changes nothing more.
    if (voters.length === 1) one.change(steps);
    expect(one.view.membership).toMatchObject({ voters, learners });
  });

  it.each([
    { learners: [2], steps: "r2", left: [], name: "RemoveLearner" },
    { learners: [2, 3], steps: "r2", left: [3], name: "RemoveNode" },
  ])("$steps takes it out of $learners ($name)", ({ learners, steps, left }) => {
    const one = new SingleCore({ voters: [1], learners }).step({ kind: "campaign" });
    one.change(steps);
    expect(one.view.membership.learners).toEqual(left);
  });

  it("the last voter is not removed (RemoveNode)", () => {
    const one = alone();
    expect(one.replyTo(one.change("r1"))).toMatchObject({ kind: "refused" });
    expect(one.view.membership.voters).toEqual([1]);
  });

  it("a new voter counts as alive at first, so that the leader does not give up (AddNodeCheckQuorum)", () => {
    const one = alone();
    one.ticks(9);
    one.change("v2");
    one.ticks(2);
    expect(one.view.role).toBe("leader");
    // After a whole timeout without a word it does.
    one.ticks(12);
    expect(one.view.role).not.toBe("leader");
  });

  it("members are told in ascending order, however they came (RaftNodes)", () => {
    const one = new SingleCore({ voters: [2], id: 2 }).step({ kind: "campaign" });
    one.change("v3 v1", "implicit");
    for (const index of [2, 3]) for (const id of [1, 3]) one.acknowledge(id, index);
    expect(one.view.membership.voters).toEqual([1, 2, 3]);
    expect(one.view.peers.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it("one that is open keeps a second out, and an empty entry stands in its place (StepConfig, StepIgnoreConfig)", () => {
    const one = new SingleCore().leadAll();
    const { lastIndex } = one.view;
    one.change("v4");
    expect(one.view.lastIndex).toBe(lastIndex + 1);
    const second = one.change("v5");
    expect(one.replyTo(second)).toMatchObject({ kind: "refused" });
    expect(one.disk.entries.slice(lastIndex).map(({ payload }) => payload.kind)).toEqual(["configuration", "empty"]);
  });

  it.each([{ hasPending: false }, { hasPending: true }])(
    "a new leader changes nothing before it has applied its log: pending=$hasPending (NewLeaderPendingConfig)",
    ({ hasPending }) => {
      const one = new SingleCore({ log: hasPending ? [1] : [], term: 1 }).lead();
      const early = one.change("v4");
      expect(one.replyTo(early)?.kind).toBe(hasPending ? "refused" : undefined);
      one.acknowledge(2);
      const ref = hasPending ? one.change("v4") : early;
      one.acknowledge(2);
      expect(one.replyTo(ref)).toMatchObject({ kind: "committed" });
    },
  );

  it("what waited for a member that is removed is committed with the removal (CommitAfterRemoveNode)", () => {
    const one = new SingleCore({ voters: [1, 2] }).leadAll();
    one.change("r2");
    const waiting = one.propose("hello");
    expect(one.replyTo(waiting)).toBe(undefined);
    one.acknowledge(2, 2);
    expect(one.replyTo(waiting)).toMatchObject({ kind: "committed" });
    expect(one.view).toMatchObject({ commitIndex: 3, membership: { voters: [1] } });
  });

  it.each([
    { steps: "v2", transition: "auto", joint: false, after: { voters: [1, 2] } },
    { steps: "l2", transition: "auto", joint: false, after: { voters: [1], learners: [2] } },
    { steps: "l2 l3", transition: "auto", joint: true, after: { voters: [1], learners: [2, 3] } },
    { steps: "l2", transition: "explicit", joint: true, after: { voters: [1], learners: [2] } },
    { steps: "l2 l2", transition: "implicit", joint: true, after: { voters: [1], learners: [2] } },
    { steps: "l2 l3 l4", transition: "explicit", joint: true, after: { voters: [1], learners: [2, 3, 4] } },
  ] as const)(
    "$steps $transition goes through a joint configuration: $joint (ProposeAndConfChange, JointAutoLeave)",
    (shape) => {
      const one = alone();
      one.change(shape.steps, shape.transition);
      const isExplicit = shape.transition === "explicit";
      expect(one.view.membership.votersOutgoing.length > 0).toBe(isExplicit);
      if (isExplicit) one.change("");
      expect(one.view.membership).toMatchObject({ votersOutgoing: [], autoLeave: false, ...shape.after });
      const changes = one.applied.filter(({ payload }) => payload.kind === "configuration");
      expect(changes).toHaveLength(shape.joint ? 2 : 1);
    },
  );
});

describe("learners", () => {
  it("do not stand for election, whatever time passes (LearnerElectionTimeout, LearnerCampaign)", () => {
    const one = new SingleCore({ id: 2, voters: [1], learners: [2] }).ticks(40);
    one.step({ kind: "campaign" }).receive("timeoutNow", 1, 1);
    expect(one.view.role).toBe("follower");
  });

  it("vote when asked (LearnerCanVote)", () => {
    const one = new SingleCore({ id: 2, voters: [1], learners: [2] });
    one.receive("voteRequest", 1, 2, { last: idOf(11, 11) });
    expect(one.sentOf("voteResponse")).toMatchObject([{ to: 1, term: 2, isRejected: false }]);
  });

  it("become voters and can lead then (LearnerPromotion)", () => {
    const cluster = new TestCluster({ peers: 1, spares: 1, configure: withoutPreVote });
    cluster.elect(1);
    for (const steps of ["l2", "v2"]) {
      cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change: changeOf(steps) });
      cluster.tick(5);
    }
    expect(cluster.node(2).view().membership.voters).toEqual([1, 2]);
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 2 as PeerId });
    cluster.settle();
    expect(cluster.leader()?.id).toBe(2);
  });
});

describe("a member that starts again", () => {
  it("knows its term, its vote and its log, and leads nobody (Restart)", () => {
    const one = new SingleCore({ log: [1, 1], term: 1, commit: 1 });
    expect(one.view).toMatchObject({ role: "follower", term: 1, commitIndex: 1, lastIndex: 2, leader: undefined });
    expect(one.applied.map(({ index }) => index)).toEqual([1]);
  });

  it("is given what is committed a piece at a time, and all of it (CommitPaginationAfterRestart, CommitPagination)", () => {
    const log = Array.from({ length: 20 }, () => 1);
    const one = new SingleCore({ log, commit: 20, config: { applyBytesMax: 1 } });
    expect(one.applied.map(({ index }) => index)).toEqual(log.map((_, place) => place + 1));
  });
});

it("a leader that is cut off does not let its log grow without bound (BoundedLogGrowthWithPartition)", () => {
  const cluster = new TestCluster({ peers: 3, configure: (base) => ({ ...base, uncommittedBytesMax: 800 }) });
  cluster.elect(1);
  isolate(cluster, 1);
  for (let count = 0; count < 1024; count++) cluster.propose(1, "x".repeat(100));
  cluster.settle();
  expect(cluster.node(1).view().lastIndex).toBe(1 + 8);
});
