import { describe, expect, it } from "vitest";
import type { Config } from "../src/core/config.ts";
import type { Message } from "../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../src/core/types.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import { giveLog, heal, isolate, termsOf, texts, withoutPreVote } from "./thesis-support.ts";

/** Ongaro, "Consensus: Bridging Theory and Practice", by section. */

describe("§3.3 terms", () => {
  it("a member that sees a higher term follows in it, whatever it was", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const message: Message = {
      kind: "appendRequest",
      from: 2 as PeerId,
      to: 1 as PeerId,
      term: 7 as Term,
      previous: { term: 0 as Term, index: 0 as LogIndex },
      entries: [],
      commit: 0 as LogIndex,
    };
    cluster.step(1, { kind: "receive", message });
    expect(cluster.node(1).view()).toMatchObject({ role: "follower", term: 7, leader: 2 });
  });

  it("a stale leader is told of the new term instead of being ignored", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    cluster.elect(2);
    cluster.tick(25);
    expect(cluster.leader()?.id).not.toBe(1);
    heal(cluster);
    cluster.tick(12);
    expect(cluster.node(1).view().role).toBe("follower");
    expect(cluster.node(1).view().leader).toBe(cluster.leader()?.id);
  });
});

describe("§3.4 leader election", () => {
  it("starts with followers and finds one leader in bounded time, for many seeds", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const cluster = new TestCluster({ peers: 5, seed });
      cluster.tick(60);
      const leaders = cluster.running().filter((node) => node.view().role === "leader");
      expect(leaders).toHaveLength(1);
    }
  });

  it("heartbeats keep the leader: no election while it lives", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const { term } = cluster.node(1).view();
    cluster.tick(200);
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(1).view().term).toBe(term);
  });

  it("gives one vote a term, and gives the same candidate its vote again", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    const ask = (from: number): void => {
      const message: Message = {
        kind: "voteRequest",
        from: from as PeerId,
        to: 1 as PeerId,
        term: 1 as Term,
        isPreVote: false,
        isTransfer: false,
        last: { term: 0 as Term, index: 0 as LogIndex },
        commit: { term: 0 as Term, index: 0 as LogIndex },
      };
      cluster.step(1, { kind: "receive", message });
      while (cluster.node(1).pendingPersists.length > 0) cluster.persistOne(cluster.node(1));
    };
    ask(2);
    ask(3);
    ask(2);
    const answers = cluster.messages.filter((message) => message.kind === "voteResponse");
    expect(answers.map((answer) => [answer.to, answer.isRejected])).toEqual([
      [2, false],
      [3, true],
      [2, false],
    ]);
  });

  it("a candidate without a majority does not win", () => {
    const cluster = new TestCluster({ peers: 5, configure: withoutPreVote });
    isolate(cluster, 1, 2);
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe("candidate");
    heal(cluster);
    isolate(cluster, 1, 2, 3);
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe("leader");
  });

  it("a candidate gives up when it hears the leader of its term", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.step(1, { kind: "campaign" });
    cluster.step(2, { kind: "campaign" });
    cluster.isOpen = (message) => !(message.kind === "voteRequest" && message.to === 1);
    cluster.settle();
    cluster.tick(40);
    const leaders = cluster.running().filter((node) => node.view().role === "leader");
    expect(leaders).toHaveLength(1);
    expect(cluster.running().every((node) => node.view().leader === leaders[0]?.id)).toBe(true);
  });

  it("draws a new random timeout each time, so that ties end", () => {
    const cluster = new TestCluster({ peers: 2, configure: withoutPreVote });
    cluster.step(1, { kind: "campaign" });
    cluster.step(2, { kind: "campaign" });
    cluster.settle();
    expect(cluster.leader()).toBeUndefined();
    cluster.tick(80);
    expect(cluster.leader()).toBeDefined();
  });
});

describe("§3.5 log replication", () => {
  it("commits what a majority has, and everyone applies it in order", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    for (const text of ["a", "b", "c"]) cluster.propose(1, text);
    cluster.settle();
    cluster.tick(3);
    for (const node of cluster.nodes.values()) expect(texts(node)).toEqual(["a", "b", "c"]);
  });

  it("does not commit in a minority, and says so to nobody", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    const ref = cluster.propose(1, "lost");
    cluster.settle();
    expect(cluster.node(1).replies.some((reply) => reply.ref === ref)).toBe(false);
    expect(texts(cluster.node(1))).toEqual([]);
  });

  it("brings figure 3.6's followers to the leader's log", () => {
    const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const followers = [
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    const cluster = new TestCluster({ peers: 7, configure: withoutPreVote });
    giveLog(cluster.node(1), leaderLog, 7);
    followers.forEach((log, place) => giveLog(cluster.node(place + 2), log, 7));
    // The member with entries of term 7 would not vote; the others are enough.
    cluster.elect(1);
    expect(cluster.node(1).view().role).toBe("leader");
    cluster.tick(10);
    for (const node of cluster.nodes.values()) expect(termsOf(node)).toEqual([...leaderLog, 8]);
  });

  it("skips whole terms when logs differ: few round trips for many wrong entries", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    const wrong = Array.from({ length: 500 }, () => 2);
    giveLog(cluster.node(1), [1, ...Array.from({ length: 500 }, () => 3)], 3);
    giveLog(cluster.node(2), [1, ...Array.from({ length: 500 }, () => 3)], 3);
    giveLog(cluster.node(3), [1, ...wrong], 3);
    const refusals = new Set<Message>();
    cluster.isOpen = (message) => {
      if (message.kind === "appendResponse" && message.hint !== undefined) refusals.add(message);
      return true;
    };
    cluster.elect(1);
    cluster.tick(5);
    expect(termsOf(cluster.node(3))).toEqual(termsOf(cluster.node(1)));
    expect(refusals.size).toBeLessThanOrEqual(3);
  });

  it("an append that arrives twice or late changes nothing", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    const kept: Message[] = [];
    cluster.isOpen = (message) => {
      if (message.kind === "appendRequest" && message.to === 2) kept.push(message);
      return true;
    };
    for (const text of ["a", "b", "c"]) {
      cluster.propose(1, text);
      cluster.settle();
    }
    const before = cluster.node(2).disk.entries;
    for (const message of kept) cluster.step(2, { kind: "receive", message });
    cluster.settle();
    expect(cluster.node(2).disk.entries).toEqual(before);
  });

  it("refuses more proposals when too much is uncommitted, and takes them again later", () => {
    const configure = (base: Config): Config => ({ ...base, uncommittedBytesMax: 10 });
    const cluster = new TestCluster({ peers: 3, configure });
    cluster.elect(1);
    isolate(cluster, 1);
    cluster.propose(1, "12345678");
    const refused = cluster.propose(1, "12345678");
    expect(cluster.node(1).replies).toContainEqual({ ref: refused, kind: "overloaded" });
    heal(cluster);
    cluster.tick(3);
    const taken = cluster.propose(1, "12345678");
    cluster.settle();
    expect(cluster.node(1).replies.find((reply) => reply.ref === taken)?.kind).toBe("committed");
  });

  it("fetches entries for a slow follower that left the memory window", () => {
    const configure = (base: Config): Config => ({
      ...base,
      windowBytesMax: 100,
      appendBytesMax: 60,
      inflightAppendsMax: 2,
    });
    const cluster = new TestCluster({ peers: 3, configure });
    cluster.elect(1);
    isolate(cluster, 1, 2);
    for (let count = 0; count < 50; count++) {
      cluster.propose(1, `entry ${count}`);
      cluster.settle();
    }
    heal(cluster);
    cluster.tick(20);
    expect(texts(cluster.node(3))).toEqual(texts(cluster.node(1)));
    expect(texts(cluster.node(3))).toHaveLength(50);
  });
});
