import { describe, expect, it } from "vitest";
import type { Entry } from "../src/core/entries.ts";
import type { Message } from "../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../src/core/types.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import { entry, giveLog, heal, isolate, termsOf, texts, withoutPreVote } from "./thesis-support.ts";

/** Ongaro, "Consensus: Bridging Theory and Practice", by section. */

describe("§3.6 safety", () => {
  it("§3.6.1: nobody wins with a log that lacks a committed entry", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    cluster.propose(1, "kept");
    cluster.settle();
    heal(cluster);
    cluster.node(1).crash();
    cluster.elect(3);
    expect(cluster.node(3).view().role).not.toBe("leader");
    cluster.tick(200);
    expect(cluster.leader()?.id).toBe(2);
    expect(texts(cluster.node(3))).toEqual(["kept"]);
  });

  it("§3.6.2, figure 3.7: an entry of an earlier term is not committed by counting", () => {
    const cluster = new TestCluster({ peers: 5, configure: withoutPreVote });
    // (c) of the figure: S1 leads in term 4, its entry of term 2 is on S1, S2 and soon S3; S5 has one of term 3.
    giveLog(cluster.node(1), [1, 2], 3);
    giveLog(cluster.node(2), [1, 2], 3);
    giveLog(cluster.node(3), [1], 3);
    giveLog(cluster.node(4), [1], 3);
    giveLog(cluster.node(5), [1, 3], 3);
    // Entries of term 4 reach nobody: only what is older is replicated.
    const isOld = (message: Message): boolean =>
      message.kind !== "appendRequest" || message.entries.every(({ term }) => term < 4);
    cluster.isOpen = (message) => message.from !== 5 && message.to !== 5 && isOld(message);
    cluster.elect(1);
    const one = cluster.node(1);
    expect(one.view()).toMatchObject({ role: "leader", term: 4 });
    giveLog(cluster.node(3), [1, 2], 4);
    cluster.step(1, {
      kind: "receive",
      message: { kind: "appendResponse", from: 2 as PeerId, to: 1 as PeerId, term: 4 as Term, index: 2 as LogIndex },
    });
    cluster.step(1, {
      kind: "receive",
      message: { kind: "appendResponse", from: 3 as PeerId, to: 1 as PeerId, term: 4 as Term, index: 2 as LogIndex },
    });
    expect(one.view().peers.filter((peer) => peer.matchIndex >= 2)).toHaveLength(3);
    expect(one.view().commitIndex).toBe(0);
    // (d): S1 dies; S5 may win and overwrite, so committing would have been wrong.
    one.crash();
    heal(cluster);
    cluster.elect(5);
    if (cluster.node(5).view().role !== "leader") cluster.elect(5);
    expect(cluster.node(5).view().role).toBe("leader");
    cluster.tick(5);
    expect(termsOf(cluster.node(2)).slice(0, 2)).toEqual([1, 3]);
  });

  it("§3.6.2, figure 3.7 (e): with an entry of its own term on a majority the older one is committed too", () => {
    const cluster = new TestCluster({ peers: 5, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 2], 3);
    giveLog(cluster.node(2), [1, 2], 3);
    giveLog(cluster.node(3), [1], 3);
    giveLog(cluster.node(4), [1], 3);
    giveLog(cluster.node(5), [1, 3], 3);
    isolate(cluster, 1, 2, 3);
    cluster.elect(1);
    expect(cluster.node(1).view().commitIndex).toBe(3);
    cluster.node(1).crash();
    heal(cluster);
    cluster.elect(5);
    cluster.tick(60);
    expect(cluster.leader()?.id).not.toBe(5);
    expect(termsOf(cluster.node(5)).slice(0, 2)).toEqual([1, 2]);
  });
});

describe("§3.8 persistence", () => {
  it("answers nothing that promises durability before the disk says so", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(2).isDiskStalled = true;
    cluster.node(3).isDiskStalled = true;
    const ref = cluster.propose(1, "waits");
    cluster.settle();
    expect(cluster.node(2).view().lastIndex).toBe(2);
    expect(cluster.node(1).view().commitIndex).toBe(1);
    expect(cluster.node(1).replies.some((reply) => reply.ref === ref)).toBe(false);
    cluster.node(2).isDiskStalled = false;
    cluster.settle();
    expect(cluster.node(1).replies.find((reply) => reply.ref === ref)?.kind).toBe("committed");
  });

  it("a leader counts itself only when its own disk has the entry, yet may commit without it (§10.2.1)", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(1).isDiskStalled = true;
    const ref = cluster.propose(1, "others have it");
    cluster.settle();
    const view = cluster.node(1).view();
    expect(view.commitIndex).toBe(2);
    expect(view.durableIndex).toBe(1);
    // Committed, but not applied here before it is durable here.
    expect(view.appliedIndex).toBe(1);
    expect(cluster.node(1).replies.find((reply) => reply.ref === ref)?.kind).toBe("committed");
  });

  it("a candidate that the others elect leads only when its own term and vote are on its disk", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    const one = cluster.node(1);
    one.isDiskStalled = true;
    cluster.elect(1);
    // Both others voted. If it led now, a crash would let it lead the same term again, with other entries.
    expect(one.view()).toMatchObject({ role: "candidate", term: 1 });
    expect(one.disk.hardState.term).toBe(0);
    one.isDiskStalled = false;
    cluster.settle();
    expect(one.view()).toMatchObject({ role: "leader", term: 1 });
  });

  it("a vote survives a crash: no second vote in the same term", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    isolate(cluster, 1, 2);
    cluster.elect(1);
    cluster.node(2).crash();
    cluster.node(2).start();
    expect(cluster.node(2).view()).toMatchObject({ term: 1, vote: 1 });
  });

  it("a vote that did not reach the disk was not given: after the crash the answer never left", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.node(2).isDiskStalled = true;
    cluster.node(3).isDiskStalled = true;
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe("candidate");
    cluster.node(2).crash();
    cluster.node(2).start();
    expect(cluster.node(2).view()).toMatchObject({ term: 0, vote: 0 });
  });

  it("a restart goes on from the disk and loses nothing", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    for (const text of ["a", "b"]) cluster.propose(1, text);
    cluster.settle();
    cluster.tick(3);
    for (const node of cluster.nodes.values()) node.crash();
    for (const node of cluster.nodes.values()) node.start();
    cluster.tick(60);
    for (const node of cluster.nodes.values()) expect(texts(node)).toEqual(["a", "b"]);
  });

  it("an acknowledgement of an earlier term's write does not count for what was written over it", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    const three = cluster.node(3);
    three.isDiskStalled = true;
    giveLog(cluster.node(1), [], 1);
    giveLog(cluster.node(2), [], 1);
    const append = (term: number, entries: readonly Entry[]): void =>
      cluster.step(3, {
        kind: "receive",
        message: {
          kind: "appendRequest",
          from: 1 as PeerId,
          to: 3 as PeerId,
          term: term as Term,
          previous: { term: 0 as Term, index: 0 as LogIndex },
          entries,
          commit: 0 as LogIndex,
        },
      });
    append(2, [entry(2, 1)]);
    append(3, [entry(3, 1)]);
    cluster.persistOne(three);
    expect(three.view().durableIndex).toBe(0);
    cluster.persistOne(three);
    expect(three.view().durableIndex).toBe(1);
  });

  it("a leader whose disk hangs steps down within its time, and another leads", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(1).isDiskStalled = true;
    cluster.propose(1, "stuck");
    cluster.tick(45);
    expect(cluster.node(1).view().role).not.toBe("leader");
    expect(cluster.node(1).events.some((event) => event.kind === "diskStalled")).toBe(true);
    cluster.tick(40);
    expect(cluster.leader()?.id).not.toBe(1);
    const ref = cluster.propose(cluster.leader()?.id ?? 0, "goes on");
    cluster.settle();
    expect(cluster.leader()?.replies.find((reply) => reply.ref === ref)?.kind).toBe("committed");
  });

  it("a failed disk silences the core for ever, with one answer for everything open", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const one = cluster.node(1);
    one.isDiskStalled = true;
    isolate(cluster, 1);
    const open = cluster.propose(1, "open");
    cluster.step(1, { kind: "persistFailed", token: 99 });
    const late = cluster.propose(1, "late");
    expect(one.replies.find((reply) => reply.ref === open)?.kind).toBe("unknown");
    expect(one.replies.find((reply) => reply.ref === late)?.kind).toBe("notLeader");
    heal(cluster);
    cluster.messages = [];
    for (let count = 0; count < 50; count++) cluster.step(1, { kind: "tick" });
    expect(cluster.messages).toEqual([]);
  });
});
