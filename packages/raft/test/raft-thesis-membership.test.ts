import { describe, expect, it } from "vitest";
import type { PeerId } from "../src/core/types.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import { heal, isolate, texts } from "./thesis-support.ts";

/** Ongaro, "Consensus: Bridging Theory and Practice", by section. */

describe("§3.10 leadership transfer", () => {
  it("hands over to an up-to-date member in one step, losing no proposal", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.propose(1, "before");
    cluster.settle();
    const ref = cluster.newRef();
    cluster.step(1, { kind: "transfer", ref, to: 3 as PeerId });
    cluster.settle();
    expect(cluster.leader()?.id).toBe(3);
    expect(cluster.node(1).replies).toContainEqual({ ref, kind: "transferred" });
    expect(texts(cluster.node(3))).toEqual(["before"]);
  });

  it("takes no proposals meanwhile, and goes on leading when the target does not answer", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    const ref = cluster.newRef();
    cluster.step(1, { kind: "transfer", ref, to: 3 as PeerId });
    const refused = cluster.propose(1, "no");
    expect(cluster.node(1).replies).toContainEqual({ ref: refused, kind: "overloaded" });
    cluster.tick(11);
    expect(cluster.node(1).view()).toMatchObject({ role: "leader", transferee: undefined });
    expect(cluster.node(1).replies).toContainEqual({ ref, kind: "unknown" });
    const taken = cluster.propose(1, "yes");
    cluster.settle();
    expect(cluster.node(1).replies.find((reply) => reply.ref === taken)?.kind).toBe("committed");
  });

  it("brings a target that is behind up to date first", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    for (const text of ["a", "b", "c"]) cluster.propose(1, text);
    cluster.settle();
    heal(cluster);
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 3 as PeerId });
    cluster.tick(4);
    expect(cluster.leader()?.id).toBe(3);
    expect(texts(cluster.node(3))).toEqual(["a", "b", "c"]);
  });

  it("refuses itself, strangers and learners as targets, and is refused by followers", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    for (const to of [1, 9]) {
      const ref = cluster.newRef();
      cluster.step(1, { kind: "transfer", ref, to: to as PeerId });
      expect(cluster.node(1).replies.find((reply) => reply.ref === ref)?.kind).toBe("refused");
    }
    const ref = cluster.newRef();
    cluster.step(2, { kind: "transfer", ref, to: 3 as PeerId });
    expect(cluster.node(2).replies).toContainEqual({ ref, kind: "notLeader", leader: 1 });
  });
});

describe("§4 membership", () => {
  const change = (transition: "auto" | "implicit" | "explicit", text: string) => ({
    version: 2 as const,
    transition,
    context: new Uint8Array(),
    steps: text.split(" ").map((token) => ({
      action: ({ v: "addVoter", l: "addLearner", r: "remove" } as const)[token.charAt(0) as "v" | "l" | "r"],
      peer: Number(token.slice(1)) as PeerId,
    })),
  });

  it("§4.1: adds one voter, which gets a snapshot and then takes part", () => {
    const cluster = new TestCluster({ peers: 3, spares: 1 });
    cluster.elect(1);
    cluster.propose(1, "before");
    cluster.settle();
    const ref = cluster.newRef();
    cluster.step(1, { kind: "changeConfiguration", ref, change: change("auto", "v4") });
    cluster.settle();
    cluster.tick(6);
    expect(cluster.node(1).replies.find((reply) => reply.ref === ref)?.kind).toBe("committed");
    expect(cluster.node(4).view().membership.voters).toEqual([1, 2, 3, 4]);
    cluster.propose(1, "after");
    cluster.settle();
    cluster.tick(3);
    expect(texts(cluster.node(4))).toEqual(["before", "after"]);
  });

  it("§4.1: only one change at a time", () => {
    const cluster = new TestCluster({ peers: 3, spares: 2 });
    cluster.elect(1);
    isolate(cluster, 1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "v4") });
    cluster.step(1, { kind: "changeConfiguration", ref: 902, change: change("auto", "v5") });
    expect(cluster.node(1).replies.find((reply) => reply.ref === 902)?.kind).toBe("refused");
  });

  it("§4.2.1: a learner gets the log and counts for nothing", () => {
    const cluster = new TestCluster({ peers: 3, spares: 1 });
    cluster.elect(1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "l4") });
    cluster.settle();
    cluster.tick(6);
    cluster.propose(1, "x");
    cluster.settle();
    cluster.tick(3);
    expect(texts(cluster.node(4))).toEqual(["x"]);
    expect(cluster.node(4).view().isLearner).toBe(true);
    isolate(cluster, 1, 4);
    const ref = cluster.propose(1, "no quorum with a learner");
    cluster.settle();
    expect(cluster.node(1).replies.some((reply) => reply.ref === ref)).toBe(false);
    cluster.step(4, { kind: "campaign" });
    expect(cluster.node(4).view().role).toBe("follower");
  });

  it("§4.2.2: a leader that removes itself leads until that is committed, then steps down", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "r1") });
    cluster.settle();
    expect(cluster.node(1).view().role).toBe("follower");
    cluster.tick(60);
    expect([2, 3]).toContain(cluster.leader()?.id);
    expect(cluster.leader()?.view().membership.voters).toEqual([2, 3]);
  });

  it("§4.2.3: a removed member cannot disturb the group with elections", () => {
    const cluster = new TestCluster({ peers: 4 });
    cluster.elect(1);
    isolate(cluster, 1, 2, 3);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "r4") });
    cluster.settle();
    const { term } = cluster.node(1).view();
    heal(cluster);
    // It never learns of its removal and campaigns for ever.
    cluster.tick(200);
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(1).view().term).toBe(term);
  });

  it("§4.3: replaces two of three members at once, and decides by both majorities meanwhile", () => {
    const cluster = new TestCluster({ peers: 3, spares: 2 });
    cluster.elect(1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("explicit", "r2 r3 v4 v5") });
    cluster.settle();
    cluster.tick(6);
    expect(cluster.node(1).view().membership).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3] });
    // The incoming half alone is not enough.
    isolate(cluster, 1, 4, 5);
    const ref = cluster.propose(1, "needs both");
    cluster.settle();
    expect(cluster.node(1).replies.some((reply) => reply.ref === ref)).toBe(false);
    heal(cluster);
    cluster.tick(4);
    expect(cluster.node(1).replies.find((reply) => reply.ref === ref)?.kind).toBe("committed");
    const leave = { version: 2, transition: "auto", steps: [], context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: 902, change: leave });
    cluster.settle();
    cluster.tick(4);
    expect(cluster.node(4).view().membership).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [] });
  });

  it("§4.3: leaves the joint configuration by itself when asked to", () => {
    const cluster = new TestCluster({ peers: 3, spares: 2 });
    cluster.elect(1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "v4 v5") });
    cluster.settle();
    cluster.tick(10);
    for (const node of cluster.running()) {
      expect(node.view().membership).toMatchObject({ voters: [1, 2, 3, 4, 5], votersOutgoing: [], autoLeave: false });
    }
  });

  it("a configuration survives a restart: it is derived from the log", () => {
    const cluster = new TestCluster({ peers: 3, spares: 1 });
    cluster.elect(1);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "l4") });
    cluster.settle();
    cluster.tick(6);
    for (const node of cluster.running()) {
      node.flush();
      node.crash();
      node.start();
      expect(node.view().membership.learners).toEqual([4]);
    }
  });

  it("nobody campaigns with a committed change that it has not applied (etcd #12359 is resolved by votes)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const two = cluster.node(2);
    cluster.step(1, { kind: "changeConfiguration", ref: 901, change: change("auto", "r3") });
    // Everything arrives at 2 but its state machine stands still.
    for (let round = 0; round < 6; round++) {
      for (const node of cluster.running()) while (node.pendingPersists.length > 0) cluster.persistOne(node);
      const { messages } = cluster;
      cluster.messages = [];
      for (const message of messages) cluster.deliverOne(message);
    }
    expect(two.view().commitIndex).toBeGreaterThan(two.view().appliedIndex);
    cluster.step(2, { kind: "campaign" });
    expect(two.view().role).toBe("follower");
  });
});
