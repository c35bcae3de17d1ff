import { describe, expect, it } from "vitest";
import type { Membership, SnapshotMeta } from "../../src/core/entries.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { texts } from "../thesis-support.ts";
import { idOf, SingleCore, snapshotting } from "./single-core.ts";

/** etcd's raft_snap_test and the snapshot part of raft_test; names in brackets. */

const metaOf = (
  index: number,
  term: number,
  members: Partial<Record<keyof Membership, readonly number[]>>,
): SnapshotMeta => ({
  ...idOf(term, index),
  membership: {
    voters: [1, 2, 3] as PeerId[],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
    ...(members as object),
  },
});

const offered = (meta: SnapshotMeta, setup: ConstructorParameters<typeof SingleCore>[0] = {}): SingleCore =>
  new SingleCore({ term: 1, ...setup }).receive("snapshotRequest", 2, Math.max(1, meta.term), { snapshot: meta });

describe("a leader", () => {
  it("notes what it sent, and sends nothing else meanwhile (SendingSnapshotSetPendingSnapshot, PendingSnapshotPauseReplication)", () => {
    const one = snapshotting();
    expect(one.peer(2)).toMatchObject({ state: "snapshot", pendingSnapshotIndex: 2, isPaused: true });
    one.propose();
    one.receive("heartbeatResponse", 2, one.view.term);
    expect(one.sent().filter(({ to }) => to === 2)).toEqual([]);
  });

  it.each([
    { isOk: false, next: 2, name: "SnapshotFailure" },
    { isOk: true, next: 3, name: "SnapshotSucceed" },
  ])("whose stream ended, ok=$isOk, probes at $next after the next sign of life ($name)", ({ isOk, next }) => {
    const one = snapshotting().step({ kind: "snapshotSent", peer: 2 as PeerId, isOk });
    expect(one.peer(2)).toMatchObject({ state: "probe", pendingSnapshotIndex: 0, nextIndex: next, isPaused: true });
    one.receive("heartbeatResponse", 2, one.view.term);
    expect(one.sent().filter(({ to }) => to === 2)).toHaveLength(1);
  });

  it("streams on when the member acknowledges what the snapshot holds (SnapshotAbort)", () => {
    const one = snapshotting();
    one.propose("b");
    one.sent();
    one.acknowledge(2, 2);
    expect(one.peer(2)).toMatchObject({ state: "replicate", matchIndex: 2, pendingSnapshotIndex: 0 });
    expect(one.sentOf("appendRequest").some(({ to, entries }) => to === 2 && entries.length === 1)).toBe(true);
  });

  it("sends one to whoever lacks what is compacted (ProvideSnap)", () => {
    const one = new SingleCore().leadAll();
    one.propose();
    one.acknowledge(3);
    one.step({ kind: "compact", throughIndex: 2 as LogIndex });
    one.sent();
    one.receive("appendResponse", 2, one.view.term, { index: 1 as LogIndex, hint: idOf(0, 0) });
    one.step({ kind: "unreachable", peer: 2 as PeerId });
    one.receive("heartbeatResponse", 2, one.view.term);
    expect(one.sentOf("snapshotRequest")).toMatchObject([{ to: 2, snapshot: { index: 2, term: 1 } }]);
  });

  it("sends none to whoever is silent (IgnoreProvidingSnap)", () => {
    const one = new SingleCore().leadAll();
    one.propose();
    one.acknowledge(3);
    one.step({ kind: "compact", throughIndex: 2 as LogIndex });
    one.step({ kind: "unreachable", peer: 2 as PeerId });
    // Two periods without a word of 2.
    for (let ticks = 0; ticks < 20; ticks++) one.ticks(1).receive("heartbeatResponse", 3, one.view.term);
    one.sent();
    one.propose();
    expect(one.sentOf("snapshotRequest")).toEqual([]);
  });
});

describe("a member that is offered a snapshot", () => {
  it("takes it in the place of its log, once (Restore)", () => {
    const meta = metaOf(11, 11, {});
    const one = offered(meta);
    expect(one.view).toMatchObject({ lastIndex: 11, lastTerm: 11, commitIndex: 11, firstIndex: 12 });
    expect(one.view.membership).toEqual(meta.membership);
    expect(one.sentOf("appendResponse")).toMatchObject([{ to: 2, index: 11 }]);
    // The same again is no news; it says what it has.
    one.receive("snapshotRequest", 2, 11, { snapshot: meta });
    expect(one.sentOf("appendResponse")).toMatchObject([{ index: 11 }]);
    // No entries were lost with it: it does not campaign before its time.
    one.ticks(9);
    expect(one.view.role).toBe("follower");
  });

  it.each([
    { name: "RestoreWithLearner", members: { voters: [1, 2], learners: [3] } },
    { name: "RestoreWithVotersOutgoing", members: { voters: [1, 2, 3], votersOutgoing: [1, 2, 4] } },
    { name: "RestoreVoterToLearner", members: { voters: [2, 3], learners: [1] } },
    { name: "LearnerReceiveSnapshot", members: { voters: [2], learners: [1] } },
  ])("has its members then: $members ($name)", ({ members }) => {
    const meta = metaOf(11, 11, members);
    const one = offered(meta);
    expect(one.view.membership).toEqual(meta.membership);
    expect(one.view.isLearner).toBe((members.learners ?? []).includes(1));
  });

  it("a learner becomes a voter by it (RestoreLearnerPromotion)", () => {
    const one = new SingleCore({ id: 3, voters: [1, 2], learners: [3], term: 1 });
    expect(one.view.isLearner).toBe(true);
    one.receive("snapshotRequest", 2, 11, { snapshot: metaOf(11, 11, {}) });
    expect(one.view.isLearner).toBe(false);
  });

  it.each([
    { meta: metaOf(1, 1, {}), why: "is older than what is committed" },
    { meta: metaOf(3, 1, {}), why: "holds what the log has already" },
  ])("keeps its log when it $why (RestoreIgnoreSnapshot)", ({ meta }) => {
    const one = offered(meta, { log: [1, 1, 1], commit: 1 });
    expect(one.view).toMatchObject({ lastIndex: 3, firstIndex: 1, commitIndex: Math.max(1, meta.index) });
    expect(one.terms).toEqual([1, 1, 1]);
  });

  it("takes none that leaves it out (snapshots from before it was added)", () => {
    expect(offered(metaOf(11, 11, { voters: [2, 3, 4] })).view).toMatchObject({ lastIndex: 0, commitIndex: 0 });
  });

  it("follows its sender (RestoreFromSnapMsg)", () => {
    expect(offered(metaOf(11, 11, {})).view).toMatchObject({ leader: 2, term: 11, role: "follower" });
  });

  it("does not stand for election before it is installed", () => {
    let isIdle = false;
    const one = new SingleCore({ term: 1 as Term }, () => isIdle);
    one.receive("snapshotRequest", 2, 2, { snapshot: metaOf(5, 2, {}) });
    one.ticks(30);
    expect(one.view.role).toBe("follower");
    isIdle = true;
    one.ticks(30);
    expect(one.view.role).toBe("candidate");
  });
});

it("a member that was slow for long gets a snapshot and the rest, and applies everything (SlowNodeRestore)", () => {
  const cluster = new TestCluster({ peers: 3 });
  cluster.elect(1);
  cluster.isOpen = ({ from, to }) => from !== 3 && to !== 3;
  for (let number = 0; number < 100; number++) cluster.propose(1, `p${number}`);
  cluster.settle();
  for (const id of [1, 2]) cluster.step(id, { kind: "compact", throughIndex: cluster.node(id).appliedIndex });
  cluster.isOpen = () => true;
  cluster.tick(30);
  cluster.propose(1, "after");
  cluster.settle();
  expect(texts(cluster.node(3))).toEqual(texts(cluster.node(1)));
  expect(cluster.node(3).view().firstIndex).toBeGreaterThan(1);
});
