import { describe, expect, it } from "vitest";
import type { Config } from "../src/core/config.ts";
import type { Message } from "../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../src/core/types.ts";
import { ClusterChecker } from "../src/testing/checker.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import { giveLog, heal, isolate, termsOf, texts } from "./thesis-support.ts";

/** Ongaro, "Consensus: Bridging Theory and Practice", by section. */

describe("§5 compaction and snapshots", () => {
  it("sends a snapshot to a follower whose entries are compacted, and streams on", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    for (let count = 0; count < 20; count++) cluster.propose(1, `${count}`);
    cluster.settle();
    for (const id of [1, 2]) {
      const node = cluster.node(id);
      node.flush();
      cluster.step(id, { kind: "compact", throughIndex: node.appliedIndex });
    }
    expect(cluster.node(1).view().firstIndex).toBeGreaterThan(20);
    heal(cluster);
    cluster.tick(5);
    expect(texts(cluster.node(3))).toEqual(texts(cluster.node(1)));
    expect(
      cluster
        .node(1)
        .view()
        .peers.find((peer) => peer.id === 3)?.state,
    ).toBe("replicate");
    cluster.propose(1, "after");
    cluster.settle();
    cluster.tick(3);
    expect(texts(cluster.node(3)).at(-1)).toBe("after");
  });

  it("never compacts what is not applied, and answers a repeated order with nothing", () => {
    const cluster = new TestCluster({ peers: 1 });
    cluster.elect(1);
    const core = cluster.node(1).core;
    core?.step({ kind: "compact", throughIndex: 99 as LogIndex });
    expect(core?.drain().compact).toMatchObject({ index: 1, term: 1, membership: { voters: [1] } });
    core?.step({ kind: "compact", throughIndex: 99 as LogIndex });
    expect(core?.drain().compact).toBeUndefined();
  });

  it("an old snapshot is refused and answered with what is committed", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    for (const text of ["a", "b", "c"]) cluster.propose(1, text);
    cluster.settle();
    cluster.tick(3);
    const two = cluster.node(2);
    const before = texts(two);
    const { membership } = two.view();
    const snapshot = { term: 1 as Term, index: 2 as LogIndex, membership };
    const message: Message = { kind: "snapshotRequest", from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term, snapshot };
    cluster.step(2, { kind: "receive", message });
    const after = two.pendingPersists.flatMap((persist) => persist.after);
    expect(after).toMatchObject([{ kind: "appendResponse", index: two.view().commitIndex }]);
    expect(texts(two)).toEqual(before);
  });
});

describe("§6.4 read-only requests", () => {
  it("answers with the commit index after a round of heartbeats, and never without", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.propose(1, "x");
    cluster.settle();
    const one = cluster.node(1);
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 901, mode: "round" });
    cluster.settle();
    expect(one.replies.some((reply) => reply.ref === 901)).toBe(false);
    heal(cluster);
    cluster.tick(2);
    expect(one.replies).toContainEqual({ ref: 901, kind: "readable", index: one.view().commitIndex });
  });

  it("a leader that is a majority alone, in both halves of a joint configuration, answers without anybody", () => {
    const cluster = new TestCluster({ peers: 1, spares: 1 });
    cluster.elect(1);
    const steps = [{ action: "addLearner", peer: 2 as PeerId }] as const;
    const change = { version: 2, transition: "explicit", steps, context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: 900, change });
    cluster.settle();
    const one = cluster.node(1);
    expect(one.view().membership).toMatchObject({ voters: [1], votersOutgoing: [1] });
    cluster.node(2).crash();
    cluster.step(1, { kind: "read", ref: 901, mode: "round" });
    expect(one.replies).toContainEqual({ ref: 901, kind: "readable", index: one.view().commitIndex });
  });

  it("a deposed leader answers no read: it sends the reader on", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 901, mode: "round" });
    cluster.tick(60);
    heal(cluster);
    cluster.tick(10);
    const reply = cluster.node(1).replies.find(({ ref }) => ref === 901);
    expect(reply?.kind).toBe("notLeader");
  });

  it("an acknowledgement of an earlier round confirms nothing that came after it", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.tick(2);
    const one = cluster.node(1);
    const kept: Message[] = [];
    cluster.isOpen = (message) => {
      if (message.kind !== "heartbeatResponse") return true;
      kept.push(message);
      return false;
    };
    cluster.tick(2);
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 901, mode: "round" });
    for (const message of kept) cluster.step(1, { kind: "receive", message });
    expect(one.replies.some((reply) => reply.ref === 901)).toBe(false);
  });

  it("step 1: a new leader answers only after it has committed in its own term", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.propose(1, "x");
    cluster.settle();
    const isAppend = (message: Message): boolean => message.kind === "appendRequest" && message.from === 2;
    cluster.isOpen = (message) => !isAppend(message);
    cluster.step(1, { kind: "transfer", ref: 900, to: 2 as PeerId });
    cluster.settle();
    const two = cluster.node(2);
    expect(two.view().role).toBe("leader");
    cluster.step(2, { kind: "read", ref: 901, mode: "round" });
    cluster.tick(2);
    expect(two.replies.some((reply) => reply.ref === 901)).toBe(false);
    heal(cluster);
    cluster.tick(4);
    const reply = two.replies.find(({ ref }) => ref === 901);
    expect(reply).toEqual({ ref: 901, kind: "readable", index: two.view().commitIndex });
  });

  it("one round serves all reads that wait for it", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.tick(3);
    const heartbeats = new Set<Message>();
    cluster.isOpen = (message) => {
      if (message.kind === "heartbeatRequest") heartbeats.add(message);
      return true;
    };
    for (let ref = 1000; ref < 1100; ref++) cluster.step(1, { kind: "read", ref, mode: "round" });
    cluster.settle();
    const served = cluster.node(1).replies.filter((reply) => reply.kind === "readable");
    expect(served).toHaveLength(100);
    expect(heartbeats.size).toBe(4);
  });

  it("§6.4.1: a member that restarts within a lease lets nobody else win until the lease is over", () => {
    const leases = (base: Config): Config => ({ ...base, switches: { ...base.switches, leaseReads: true } });
    const cluster = new TestCluster({ peers: 3, configure: leases });
    cluster.electLate(1);
    cluster.tick(4);
    isolate(cluster, 1);
    cluster.node(2).crash();
    cluster.node(2).start();
    cluster.node(3).crash();
    cluster.node(3).start();
    cluster.elect(3);
    expect(cluster.node(3).view().role).not.toBe("leader");
    cluster.tick(60);
    expect([2, 3]).toContain(cluster.leader()?.id);
  });

  it("§6.4.1: a lease answers at once, but not past its time nor after a hand-over order", () => {
    const leases = (base: Config): Config => ({ ...base, switches: { ...base.switches, leaseReads: true } });
    const cluster = new TestCluster({ peers: 3, configure: leases });
    cluster.electLate(1);
    cluster.tick(4);
    const one = cluster.node(1);
    const isAnswered = (ref: number): boolean => one.replies.some((reply) => reply.ref === ref);
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 901, mode: "lease" });
    expect(isAnswered(901)).toBe(true);
    for (let count = 0; count < 8; count++) cluster.step(1, { kind: "tick" });
    cluster.step(1, { kind: "read", ref: 902, mode: "lease" });
    expect(isAnswered(902)).toBe(false);
    heal(cluster);
    cluster.tick(4);
    expect(isAnswered(902)).toBe(true);
    cluster.isOpen = (message) => message.kind !== "timeoutNow";
    cluster.step(1, { kind: "transfer", ref: 903, to: 2 as PeerId });
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 904, mode: "lease" });
    expect(isAnswered(904)).toBe(false);
  });
});

describe("§9.6 pre-vote", () => {
  it("a member that comes back from a partition does not disturb the leader", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const { term } = cluster.node(1).view();
    isolate(cluster, 1, 2);
    cluster.tick(200);
    expect(cluster.node(3).view().term).toBe(term);
    heal(cluster);
    cluster.tick(10);
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(1).view().term).toBe(term);
  });

  it("a partially connected member does not start a livelock: the leader stays (2020-11-02 at Cloudflare)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const { term } = cluster.node(1).view();
    // 3 sees 2 but not 1.
    cluster.isOpen = (message) =>
      !(message.from + message.to === 4 && message.from !== message.to && message.from !== 2);
    cluster.tick(300);
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(1).view().term).toBe(term);
  });

  it("a leader that reaches no majority steps down by itself", () => {
    const cluster = new TestCluster({ peers: 5 });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    cluster.tick(25);
    expect(cluster.node(1).view().role).not.toBe("leader");
    expect(cluster.leader()?.id).toBeGreaterThan(2);
  });

  it("no deadlock between a long log on a low term and a short log on a high term (etcd #8501)", () => {
    const cluster = new TestCluster({ peers: 3 });
    giveLog(cluster.node(1), [1, 1, 1], 2);
    giveLog(cluster.node(2), [1], 9);
    giveLog(cluster.node(3), [1, 1, 1], 2);
    cluster.node(3).crash();
    cluster.tick(120);
    expect(cluster.leader()?.id).toBe(1);
    expect(termsOf(cluster.node(2)).slice(0, 3)).toEqual([1, 1, 1]);
  });
});

describe("proposals", () => {
  it("each reference is answered once, with superseded only when another entry took its place", () => {
    const cluster = new TestCluster({ peers: 3 });
    const checker = new ClusterChecker(cluster);
    cluster.elect(1);
    isolate(cluster, 1);
    const lost = cluster.newRef();
    checker.proposed(lost, "lost");
    cluster.propose(1, "lost", lost);
    cluster.step(2, { kind: "campaign" });
    cluster.tick(12);
    const other = cluster.leader()?.id ?? 0;
    const kept = cluster.newRef();
    checker.proposed(kept, "kept");
    cluster.propose(other, "kept", kept);
    heal(cluster);
    cluster.tick(10);
    checker.checkEnd();
    expect(other).not.toBe(1);
    expect(["superseded", "unknown"]).toContain(cluster.node(1).replies.find((reply) => reply.ref === lost)?.kind);
    expect(texts(cluster.node(1))).toEqual(["kept"]);
  });

  it("an answer of unknown comes in bounded time when leadership is lost", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    const ref = cluster.propose(1, "?");
    cluster.tick(60);
    expect(cluster.node(1).replies.find((reply) => reply.ref === ref)).toEqual({ ref, kind: "unknown" });
  });

  it("a follower answers with the leader it knows", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const ref = cluster.propose(2, "x");
    expect(cluster.node(2).replies).toContainEqual({ ref, kind: "notLeader", leader: 1 });
  });
});
