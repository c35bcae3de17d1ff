import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import type { PeerId } from "../../src/core/types.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { heal, isolate, texts } from "../thesis-support.ts";
import { changeOf, idOf, SingleCore } from "./single-core.ts";

/** The transfers of etcd's raft_test; names in brackets. */

const led = (configure: (base: Config) => Config = (base) => base): TestCluster => {
  const cluster = new TestCluster({ peers: 3, configure });
  cluster.elect(1);
  cluster.tick(1);
  return cluster;
};

function handOver(cluster: TestCluster, from: number, to: number): number {
  const ref = cluster.newRef();
  cluster.step(from, { kind: "transfer", ref, to: to as PeerId });
  return ref;
}

describe("leadership goes", () => {
  it("to a member that has everything, and back (LeaderTransferToUpToDateNode, LeaderTransferWithCheckQuorum, LeaderTransferBack)", () => {
    const cluster = led();
    handOver(cluster, 1, 2);
    cluster.settle();
    expect(cluster.leader()?.id).toBe(2);
    cluster.propose(2, "x");
    cluster.settle();
    handOver(cluster, 2, 1);
    cluster.settle();
    expect(cluster.leader()?.id).toBe(1);
  });

  it("when a follower is told so and passes it on (LeaderTransferToUpToDateNodeFromFollower)", () => {
    const cluster = led((base) => ({ ...base, switches: { ...base.switches, forwardProposals: true } }));
    handOver(cluster, 2, 2);
    cluster.settle();
    expect(cluster.leader()?.id).toBe(2);
  });

  it("to a member that lags, once it has everything (LeaderTransferToSlowFollower)", () => {
    const cluster = led();
    isolate(cluster, 3);
    cluster.propose(1, "x");
    cluster.settle();
    heal(cluster);
    handOver(cluster, 1, 3);
    cluster.tick(5);
    expect(cluster.leader()?.id).toBe(3);
    expect(texts(cluster.node(3))).toEqual(["x"]);
  });

  it("to a member that needs a snapshot first (LeaderTransferAfterSnapshot)", () => {
    const cluster = led();
    isolate(cluster, 3);
    cluster.propose(1, "x");
    cluster.settle();
    cluster.step(1, { kind: "compact", throughIndex: cluster.node(1).appliedIndex });
    heal(cluster);
    handOver(cluster, 1, 3);
    cluster.tick(8);
    expect(cluster.leader()?.id).toBe(3);
    expect(cluster.node(3).view().firstIndex).toBeGreaterThan(1);
  });

  it("to the second target when a second order comes (LeaderTransferSecondTransferToAnotherNode)", () => {
    const cluster = led();
    isolate(cluster, 3);
    cluster.propose(1, "x");
    cluster.settle();
    handOver(cluster, 1, 3);
    expect(cluster.node(1).view().transferee).toBe(3);
    handOver(cluster, 1, 2);
    cluster.settle();
    expect(cluster.leader()?.id).toBe(2);
  });
});

describe("leadership stays", () => {
  it.each([
    { to: 1, name: "LeaderTransferToSelf" },
    { to: 4, name: "LeaderTransferToNonExistingNode" },
    { to: 5, name: "LeaderTransferToLearner" },
  ])("when the target is $to ($name)", ({ to }) => {
    const one = new SingleCore({ learners: [5] }).leadAll();
    const ref = one.transfer(to);
    expect(one.replyTo(ref)).toMatchObject({ kind: "refused" });
    expect(one.view).toMatchObject({ role: "leader", transferee: undefined });
  });

  it("after an election timeout in which the target did not take over; proposals wait meanwhile (LeaderTransferTimeout, LeaderTransferIgnoreProposal)", () => {
    const one = new SingleCore().leadAll();
    one.propose();
    one.acknowledge(2);
    one.transfer(3);
    expect(one.replyTo(one.propose())).toMatchObject({ kind: "overloaded" });
    for (let tick = 0; tick < 9; tick++) one.ticks(1).receive("heartbeatResponse", 2, 1);
    expect(one.view.transferee).toBe(3);
    one.ticks(1);
    expect(one.view).toMatchObject({ role: "leader", transferee: undefined });
    expect(one.replyTo(one.propose())).toBe(undefined);
  });

  it("and the time is not longer when the same order is repeated (LeaderTransferSecondTransferToSameNode)", () => {
    const one = new SingleCore().leadAll();
    one.propose();
    one.transfer(3);
    for (let tick = 0; tick < 5; tick++) one.ticks(1).receive("heartbeatResponse", 2, 1);
    one.transfer(3);
    for (let tick = 0; tick < 5; tick++) one.ticks(1).receive("heartbeatResponse", 2, 1);
    expect(one.view.transferee).toBe(undefined);
  });

  it.each([
    { steps: "r3", name: "LeaderTransferRemoveNode" },
    { steps: "l3", name: "LeaderTransferDemoteNode" },
  ])("when the target loses its vote meanwhile: $steps ($name)", ({ steps }) => {
    const one = new SingleCore().leadAll();
    one.step({ kind: "changeConfiguration", ref: 900, change: changeOf(steps) });
    one.transfer(3);
    expect(one.view.transferee).toBe(3);
    one.acknowledge(2);
    expect(one.view).toMatchObject({ role: "leader", transferee: undefined });
  });
});

it("a vote request of a higher term ends it (LeaderTransferReceiveHigherTermVote)", () => {
  const one = new SingleCore().leadAll();
  one.propose();
  one.transfer(3);
  one.receive("voteRequest", 2, 2, { last: idOf(1, 2), isTransfer: true });
  expect(one.view).toMatchObject({ role: "follower", term: 2, vote: 2, transferee: undefined });
});

it("who has no vote does not campaign on the order (TransferNonMember)", () => {
  const one = new SingleCore({ voters: [2, 3, 4] }).receive("timeoutNow", 2, 1);
  for (const from of [2, 3]) one.receive("voteResponse", from, 1);
  expect(one.view.role).toBe("follower");
});
