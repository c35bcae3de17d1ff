import { describe, expect, it } from "vitest";
import type { Config } from "../src/core/config.ts";
import type { Message } from "../src/core/messages.ts";
import type { LogIndex, PeerId } from "../src/core/types.ts";
import { TestCluster } from "../src/testing/cluster.ts";
import type { TestNode } from "../src/testing/test-node.ts";
import { entry, giveLog, heal, isolate, termsOf, texts, withoutPreVote } from "./thesis-support.ts";

const at = (index: number): LogIndex => index as LogIndex;

/** Few entries in an append, so that a gap is filled by several. */
const smallAppends = (base: Config): Config => ({ ...withoutPreVote(base), appendBytesMax: 40 });

/** A log on a node's disk, of which some cannot be read. */
function giveRottenLog(node: TestNode, terms: readonly number[], lost: readonly [from: number, to: number]): void {
  giveLog(node, terms, terms.at(-1) ?? 0);
  node.crash();
  node.rot(at(lost[0]), at(lost[1]));
  node.start();
}

/** A group that committed many entries, one of whose members then lost some of them. */
function withLostEntries(id: number, lost: readonly [from: number, to: number]): TestCluster {
  const cluster = new TestCluster({ peers: 3, configure: smallAppends });
  cluster.elect(1);
  for (let number = 1; number <= 20; number++) cluster.propose(1, `p${number}`);
  cluster.settle();
  cluster.tick(2);
  const node = cluster.node(id);
  node.flush();
  node.crash();
  node.rot(at(lost[0]), at(lost[1]));
  node.start();
  return cluster;
}

const repairsOf = (node: TestNode): number[] =>
  node.events.flatMap((event) => (event.kind === "logRepaired" ? [event.entries] : []));

describe("a leader that hears of lost entries", () => {
  it("sends nothing beyond its own log, however long the other one is or was", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    const { term, lastIndex } = cluster.node(1).view();
    const hint = { term, index: at(36) };
    const message = { kind: "appendResponse", from: 2, to: 1, term, index: at(36), hint, hasLost: true };
    cluster.step(1, { kind: "receive", message: message as Message });
    expect(
      cluster
        .node(1)
        .view()
        .peers.find(({ id }) => id === 2)?.nextIndex,
    ).toBe(lastIndex + 1);
  });
});

describe("a follower that lost entries of its log", () => {
  it("is sent them again by the leader it had acknowledged them to, and no others count", () => {
    const cluster = withLostEntries(2, [5, 14]);
    expect(cluster.node(2).view()).toMatchObject({ lastIndex: 21, missingEntries: 10 });
    cluster.tick(30);
    expect(cluster.node(2).view()).toMatchObject({ lastIndex: 21, missingEntries: 0, appliedIndex: 21 });
    expect(repairsOf(cluster.node(2))).toEqual([10]);
    cluster.propose(1, "after");
    cluster.settle();
    expect(cluster.node(2).view().lastIndex).toBe(22);
  });

  it("applies nothing and campaigns never as long as something is missing", () => {
    const cluster = withLostEntries(2, [5, 14]);
    const node = cluster.node(2);
    isolate(cluster, 2);
    cluster.tick(200);
    expect(node.view()).toMatchObject({ role: "follower", term: 1, missingEntries: 10 });
    node.crash();
    node.appliedIndex = at(3);
    node.start();
    heal(cluster);
    const early: Message[] = [];
    cluster.isOpen = (message) => {
      if (message.from === 2 && message.kind === "appendResponse") early.push(message);
      return true;
    };
    cluster.tick(1);
    cluster.tick(40);
    expect(node.view()).toMatchObject({ missingEntries: 0, appliedIndex: 21 });
    // Nothing behind the gap was acknowledged before the gap was closed.
    const firstAck = early.find((message) => message.kind === "appendResponse" && message.hint === undefined);
    expect(firstAck?.kind === "appendResponse" && firstAck.index).toBeGreaterThanOrEqual(15);
  });

  it("votes by its true last entry: whoever lacks what it acknowledged does not get its vote", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 1, 2, 2, 2], 2);
    giveRottenLog(cluster.node(2), [1, 1, 2, 2, 2], [4, 5]);
    giveLog(cluster.node(3), [1, 1, 2, 2], 2);
    cluster.node(1).crash();
    cluster.elect(3);
    expect(cluster.node(3).view().role).not.toBe("leader");
    cluster.node(1).start();
    cluster.node(3).crash();
    cluster.elect(1);
    cluster.tick(10);
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(2).view()).toMatchObject({ missingEntries: 0, commitIndex: 6 });
    expect(termsOf(cluster.node(2)).slice(0, 5)).toEqual([1, 1, 2, 2, 2]);
  });

  it("knows the membership again when its last gap was cut off instead of filled", () => {
    const configure = (base: Config): Config => ({ ...withoutPreVote(base), appendBytesMax: 1 });
    const cluster = new TestCluster({ peers: 3, spares: 1, configure });
    cluster.elect(1);
    const steps = [{ action: "addLearner", peer: 4 as PeerId }] as const;
    const change = { version: 2, transition: "auto", steps, context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change });
    for (const text of ["a", "b"]) cluster.propose(1, text);
    cluster.tick(2);
    // 2 has two entries that nobody else has; it loses the last of them, and the change.
    const node = cluster.node(2);
    node.flush();
    node.crash();
    node.disk.entries.push(entry(1, 5), entry(1, 6));
    node.rot(at(2), at(2));
    node.rot(at(6), at(6));
    node.start();
    expect(node.view()).toMatchObject({ missingEntries: 2, membership: { learners: [] } });
    cluster.step(3, { kind: "forgetLeader" });
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 3 as PeerId });
    cluster.tick(30);
    expect(cluster.leader()?.id).toBe(3);
    expect(node.view()).toMatchObject({ missingEntries: 0, membership: { learners: [4] } });
    expect(termsOf(node)).toEqual(termsOf(cluster.node(3)));
  });

  it("keeps what follows the gap when the leader's log agrees there", () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 1, 1, 1, 2, 2], 2);
    giveRottenLog(cluster.node(2), [1, 1, 1, 1, 2, 2, 2], [2, 4]);
    giveLog(cluster.node(3), [1], 2);
    cluster.node(2).disk.hardState = { ...cluster.node(2).disk.hardState };
    cluster.elect(1);
    if (cluster.node(1).view().role !== "leader") cluster.elect(1);
    cluster.tick(20);
    // It had one entry more, which nobody else has: the leader's own took its place.
    expect(cluster.leader()?.id).toBe(1);
    expect(cluster.node(2).view().missingEntries).toBe(0);
    expect(termsOf(cluster.node(2)).slice(0, 6)).toEqual([1, 1, 1, 1, 2, 2]);
    expect(termsOf(cluster.node(2))).toEqual(termsOf(cluster.node(1)));
  });

  it("takes the leader's log from the gap on when that is another one behind it", () => {
    for (const lost of [
      [2, 3],
      [2, 2],
      [4, 4],
      [2, 4],
      [3, 4],
    ] as const) {
      const cluster = new TestCluster({ peers: 3, configure: smallAppends });
      // What it has behind the first entry was never committed.
      giveLog(cluster.node(1), [1, 3, 3, 3, 3, 3, 3], 3);
      giveRottenLog(cluster.node(2), [1, 2, 2, 2], lost);
      giveLog(cluster.node(3), [1, 3, 3], 3);
      cluster.elect(1);
      cluster.tick(20);
      expect(cluster.leader()?.id).toBe(1);
      expect(cluster.node(2).view().missingEntries, `lost ${lost.join(" to ")}`).toBe(0);
      expect(termsOf(cluster.node(2))).toEqual(termsOf(cluster.node(1)));
    }
  });

  it("waits for the end of a gap at one leader, and begins again at the next one", () => {
    const cluster = withLostEntries(3, [5, 14]);
    let passed = 0;
    // The first leader dies in the middle of the repair.
    cluster.isOpen = (message) => message.kind !== "appendRequest" || message.to !== 3 || passed++ < 3;
    cluster.tick(10);
    expect(cluster.node(3).view().missingEntries).toBe(10);
    cluster.node(1).crash();
    heal(cluster);
    cluster.elect(2);
    if (cluster.node(2).view().role !== "leader") cluster.elect(2);
    cluster.tick(30);
    expect(cluster.leader()?.id).toBe(2);
    expect(cluster.node(3).view()).toMatchObject({ missingEntries: 0, appliedIndex: cluster.node(2).view().lastIndex });
  });

  it("gets a snapshot when nobody has the lost entries any more, but only one that covers its whole log", () => {
    const cluster = withLostEntries(2, [5, 14]);
    const leader = cluster.node(1);
    leader.flush();
    cluster.step(1, { kind: "compact", throughIndex: at(18) });
    cluster.settle();
    const node = cluster.node(2);
    const meta = { index: at(18), term: entry(1, 18).term, membership: leader.view().membership };
    const old = {
      kind: "snapshotRequest",
      from: leader.id,
      to: node.id,
      term: entry(1, 0).term,
      snapshot: meta,
    } as const;
    cluster.step(2, { kind: "receive", message: old });
    expect(node.view()).toMatchObject({ missingEntries: 10, firstIndex: 1, lastIndex: 21 });
    cluster.tick(30);
    expect(node.view()).toMatchObject({ missingEntries: 0, firstIndex: 22, lastIndex: 21, appliedIndex: 21 });
    cluster.propose(1, "after");
    cluster.settle();
    cluster.tick(3);
    expect(texts(node)).toEqual(texts(leader));
  });

  it("loses what was regained and not on disk in a crash, and nothing else", () => {
    const cluster = withLostEntries(2, [5, 14]);
    const node = cluster.node(2);
    // The disk hangs when the last piece arrives.
    cluster.isOpen = (message) => {
      if (message.kind === "appendRequest" && message.entries.some(({ index }) => index === 15))
        node.isDiskStalled = true;
      return true;
    };
    cluster.tick(20);
    expect(node.view().missingEntries).toBe(10);
    const repair = node.pendingPersists.flatMap(({ order }) => order.repair ?? []);
    expect(repair.map(({ index }) => index)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    node.crash();
    heal(cluster);
    node.isDiskStalled = false;
    node.start();
    expect(node.view()).toMatchObject({ missingEntries: 10, lastIndex: 21 });
    cluster.tick(30);
    expect(node.view()).toMatchObject({ missingEntries: 0, appliedIndex: 21 });
  });

  it("derives the membership anew: a change was among what was lost", () => {
    const cluster = new TestCluster({ peers: 3, spares: 1, configure: withoutPreVote });
    cluster.elect(1);
    const change = {
      ...({ version: 1, transition: "auto", context: new Uint8Array() } as const),
      steps: [{ action: "addVoter", peer: cluster.node(4).id } as const],
    };
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change });
    cluster.settle();
    cluster.propose(1, "one");
    cluster.settle();
    cluster.tick(3);
    const node = cluster.node(2);
    expect(node.view().membership.voters).toEqual([1, 2, 3, 4]);
    node.flush();
    node.crash();
    node.rot(at(2), at(2));
    node.start();
    expect(node.view().membership.voters).toEqual([1, 2, 3]);
    cluster.tick(20);
    expect(node.view()).toMatchObject({ missingEntries: 0, membership: { voters: [1, 2, 3, 4] } });
  });
});
