import { describe, expect, it } from "vitest";
import type { Config } from "../src/core/config.ts";
import type { Entry } from "../src/core/entries.ts";
import type { Message } from "../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../src/core/types.ts";
import { ClusterChecker } from "../src/testing/checker.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import type { TestNode } from "../src/testing/test-node.ts";

/** Ongaro, "Consensus: Bridging Theory and Practice", by section. */

const withoutPreVote = (base: Config): Config => ({ ...base, switches: { ...base.switches, preVote: false } });

function texts(node: TestNode): string[] {
  return node.applied.flatMap(({ payload }) =>
    payload.kind === "application" ? [String.fromCharCode(...payload.data)] : [],
  );
}

function entry(term: number, index: number): Entry {
  return { term: term as Term, index: index as LogIndex, payload: { kind: "empty" } };
}

/** Puts a log on a node's disk as if it had been written before, and starts it anew. */
function giveLog(node: TestNode, terms: readonly number[], hardTerm: number): void {
  node.crash();
  node.disk.entries = terms.map((term, place) => entry(term, place + 1));
  node.disk.hardState = { term: hardTerm as Term, vote: 0 as PeerId, commit: 0 as LogIndex };
  node.start();
}

function termsOf(node: TestNode): number[] {
  return node.disk.entries.map(({ term }) => term);
}

function isolate(cluster: TestCluster, ...ids: number[]): void {
  const isInside = (id: number): boolean => ids.includes(id);
  cluster.isOpen = (message) => isInside(message.from) === isInside(message.to);
}

function heal(cluster: TestCluster): void {
  cluster.isOpen = () => true;
}

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
    const configure = (base: Config): Config => ({ ...base, windowBytesMax: 100, appendBytesMax: 60, inflightAppendsMax: 2 });
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
    expect(cluster.node(1).view().peers.find((peer) => peer.id === 3)?.state).toBe("replicate");
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
    cluster.step(1, { kind: "read", ref: 901, mode: "safe" });
    cluster.settle();
    expect(one.replies.some((reply) => reply.ref === 901)).toBe(false);
    heal(cluster);
    cluster.tick(2);
    expect(one.replies).toContainEqual({ ref: 901, kind: "readable", index: one.view().commitIndex });
  });

  it("a deposed leader answers no read: it sends the reader on", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    cluster.step(1, { kind: "read", ref: 901, mode: "safe" });
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
    cluster.step(1, { kind: "read", ref: 901, mode: "safe" });
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
    cluster.step(2, { kind: "read", ref: 901, mode: "safe" });
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
    for (let ref = 1000; ref < 1100; ref++) cluster.step(1, { kind: "read", ref, mode: "safe" });
    cluster.settle();
    const served = cluster.node(1).replies.filter((reply) => reply.kind === "readable");
    expect(served).toHaveLength(100);
    expect(heartbeats.size).toBe(4);
  });

  it("§6.4.1: a lease answers at once, but not past its time nor after a hand-over order", () => {
    const leases = (base: Config): Config => ({ ...base, switches: { ...base.switches, leaseReads: true } });
    const cluster = new TestCluster({ peers: 3, configure: leases });
    cluster.elect(1);
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
    cluster.isOpen = (message) => !(message.from + message.to === 4 && message.from !== message.to && message.from !== 2);
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
    const checker = new ClusterChecker();
    cluster.elect(1);
    isolate(cluster, 1);
    const lost = cluster.propose(1, "lost");
    checker.proposed(lost, "lost");
    cluster.step(2, { kind: "campaign" });
    cluster.tick(12);
    const other = cluster.leader()?.id ?? 0;
    const kept = cluster.propose(other, "kept");
    checker.proposed(kept, "kept");
    heal(cluster);
    cluster.tick(10);
    checker.check(cluster);
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
