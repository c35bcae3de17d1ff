import { assert } from "@holdfast/base";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MemberAction } from "../../src/core/entries.ts";
import type { Config } from "../../src/core/config.ts";
import type { Message } from "../../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { runScript } from "../../src/testing/etcd/run-script.ts";
import { giveLog, heal, isolate, withoutPreVote } from "../thesis-support.ts";

/**
 * Ways to rare states, written by hand, each ending with what must hold; and the recorded scripts of `testdata`, which
 * must still give the same output. They throw when it does not hold.
 */
export const scenarios: Readonly<Record<string, () => void>> = {
  "figure 3.7: an entry of an earlier term is not committed by counting": () => {
    const configure = (base: Config): Config => ({ ...withoutPreVote(base), appendBytesMax: 1 });
    const cluster = new TestCluster({ peers: 5, configure });
    giveLog(cluster.node(1), [1, 2], 3);
    for (const id of [2, 3, 4]) giveLog(cluster.node(id), [1], 3);
    giveLog(cluster.node(5), [1, 3], 3);
    // The old entry gets everywhere, and nothing of the new term does.
    const has = (id: number): boolean => cluster.node(id).disk.entries.length >= 2;
    cluster.isOpen = ({ kind, to }) => kind !== "appendRequest" || (to !== 5 && !has(to));
    cluster.elect(1);
    cluster.tick(10);
    assert(cluster.node(1).view().commitIndex === 0, "nothing is committed without an entry of the own term");
  },
  "§9.6: a long log of a low term and a short one of a high term find a leader": () => {
    const cluster = new TestCluster({ peers: 3 });
    giveLog(cluster.node(1), [1, 1, 1], 1);
    giveLog(cluster.node(2), [1], 5);
    cluster.node(3).crash();
    cluster.tick(200);
    assert(cluster.leader()?.id === 1, "the member with the longer log leads");
  },
  "§3.3: an acknowledgement of an earlier term counts for nothing": () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    for (const id of [1, 2, 3]) giveLog(cluster.node(id), [1], 4);
    isolate(cluster, 1, 3);
    cluster.elect(1);
    cluster.propose(1, "only 1 and 3 have it");
    cluster.settle();
    const index = cluster.node(1).view().lastIndex;
    const message = { kind: "appendResponse", from: 2 as PeerId, to: 1 as PeerId, term: 3 as Term, index } as const;
    cluster.step(1, { kind: "receive", message });
    const two = cluster
      .node(1)
      .view()
      .peers.find(({ id }) => id === 2);
    assert((two?.matchIndex ?? 0) < index, "2 is not taken to have what it acknowledged in another term");
  },
  "§3.6.1: a longer log of an earlier term does not win": () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 1, 1], 2);
    for (const id of [2, 3]) giveLog(cluster.node(id), [1, 2], 2);
    cluster.elect(1);
    assert(cluster.node(1).view().role !== "leader", "the last term comes before the length");
  },
  "etcd #12359: votes tell that a membership change is committed": () => {
    const cluster = new TestCluster({ peers: 5 });
    const one = cluster.node(1);
    cluster.elect(1);
    const steps = [3, 4, 5].map((peer) => ({ action: "remove", peer: peer as PeerId }) as const);
    const joint = { version: 2, transition: "explicit", steps, context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change: joint });
    cluster.tick(3);
    // The old half is left: the others write it, and one entry more that the leader's own disk does not get.
    const answers: Message[] = [];
    cluster.isOpen = (message) => {
      if (message.to === 1) answers.push(message);
      return message.to !== 1;
    };
    const leave = { version: 2, transition: "auto", steps: [], context: new Uint8Array() } as const;
    cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change: leave });
    cluster.settle();
    const left = one.view().lastIndex;
    one.isDiskStalled = true;
    cluster.propose(1, "longer");
    cluster.settle();
    // The leader learns that the change is committed, tells nobody, and forgets the entry more.
    cluster.isOpen = () => false;
    for (const message of answers) {
      if (message.kind === "appendResponse" && message.index === left) cluster.step(1, { kind: "receive", message });
    }
    cluster.settle();
    assert(one.view().membership.votersOutgoing.length === 0, "only the leader has left the joint configuration");
    one.flush();
    for (const id of [1, 3, 4, 5]) cluster.node(id).crash();
    one.isDiskStalled = false;
    one.start();
    heal(cluster);
    cluster.tick(200);
    assert(cluster.leader() !== undefined, "two members that are all of the new configuration find a leader");
  },
  "§3.5: a follower commits no further than the append vouches for": () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    giveLog(cluster.node(1), [1, 2, 2, 2], 2);
    giveLog(cluster.node(2), [1, 2, 2, 2], 2);
    giveLog(cluster.node(3), [1, 1, 1, 1, 1, 1], 2);
    cluster.isOpen = ({ to, kind }) => to !== 3 || kind === "voteRequest";
    cluster.elect(1);
    const commit = cluster.node(1).view().commitIndex;
    const entry = { term: 1, index: 1 } as never;
    const { term } = cluster.node(1).view();
    cluster.step(3, {
      kind: "receive",
      message: {
        kind: "appendRequest",
        from: 1 as PeerId,
        to: 3 as PeerId,
        term,
        previous: entry,
        entries: [],
        commit,
      },
    });
    assert(commit === 5 && cluster.node(3).view().commitIndex === 1, "only what was compared is committed");
  },
  "§6.4: an answer to an earlier round confirms no later read": () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.tick(2);
    // Answers to the old leader's heartbeat are on the way for long.
    cluster.step(1, { kind: "tick" });
    cluster.step(1, { kind: "tick" });
    for (const message of cluster.messages.splice(0)) cluster.deliverOne(message);
    const late = cluster.messages.splice(0).filter(({ kind }) => kind === "heartbeatResponse");
    assert(late.length === 2, "both answered");
    isolate(cluster, 1);
    for (const id of [2, 3]) cluster.step(id, { kind: "forgetLeader" });
    cluster.elect(2);
    cluster.propose(2, "new");
    cluster.settle();
    const ref = cluster.newRef();
    cluster.step(1, { kind: "read", ref, mode: "round" });
    for (const message of late) cluster.step(1, { kind: "receive", message });
    const reply = cluster.node(1).replies.find((one) => one.ref === ref);
    assert(reply?.kind !== "readable", "a read that the new leader's write precedes is not served by the old leader");
  },
  "§6.4.1: a lease ends when a hand-over is ordered": () => {
    const cluster = new TestCluster({ peers: 3, configure: withLeases });
    cluster.electLate(1);
    cluster.tick(2);
    // The order gets through, and nothing else reaches the old leader any more.
    cluster.isOpen = ({ to }) => to !== 1;
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 2 as PeerId });
    cluster.settle();
    assert(cluster.node(2).view().isReadyLeader && cluster.node(1).view().role === "leader", "two take it for theirs");
    assert(!isReadable(cluster, 1), "the old leader serves no read from its lease");
  },
  "§6.4.1: a lease counts from the start of the round that is answered": () => {
    const cluster = new TestCluster({ peers: 3, configure: withLeases });
    cluster.electLate(1);
    cluster.tick(2);
    const late: Message[] = [];
    cluster.isOpen = (message) => {
      if (message.to === 1 && message.kind === "heartbeatResponse") late.push(message);
      return message.to !== 1;
    };
    for (let ticks = 0; ticks < 2; ticks++) cluster.step(1, { kind: "tick" });
    cluster.settle();
    isolate(cluster, 1);
    for (let ticks = 0; ticks < 8; ticks++) cluster.step(1, { kind: "tick" });
    for (const message of late) cluster.step(1, { kind: "receive", message });
    assert(late.length > 0 && cluster.node(1).view().role === "leader", "the answers came late");
    assert(!isReadable(cluster, 1), "what was promised eight ticks ago is over");
  },
  "§6.4.1: who answered a lease's round and was started anew elects nobody while it lasts": () => {
    const cluster = new TestCluster({ peers: 3, configure: withLeases });
    cluster.electLate(1);
    cluster.step(3, { kind: "pinElectionTimeout", ticks: 100 });
    cluster.isOpen = ({ from, to }) => from + to !== 4;
    cluster.tick(cluster.node(3).config.electionTicks + 2);
    cluster.node(2).crash();
    cluster.node(2).start();
    cluster.isOpen = ({ from, to }) => from !== 1 && to !== 1;
    cluster.step(3, { kind: "campaign" });
    cluster.settle();
    assert(isReadable(cluster, 1), "the lease lasts");
    assert(cluster.node(3).view().role !== "leader", "nobody else leads meanwhile");
  },
  "§6.2: a leader that reaches no majority steps down": () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    isolate(cluster, 1);
    for (let ticks = 0; ticks < 30; ticks++) cluster.step(1, { kind: "tick" });
    assert(cluster.node(1).view().role !== "leader", "it does not lead any more");
  },
  "§10.2.1: a leader whose disk hangs steps down and another one serves": () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(1).isDiskStalled = true;
    cluster.propose(1, "waits for its disk");
    cluster.tick(120);
    assert(cluster.leader()?.id !== 1, "another one leads");
  },
  "§3.10: a hand-over to a dead member ends, and proposals are taken again": () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.node(3).crash();
    cluster.step(1, { kind: "transfer", ref: cluster.newRef(), to: 3 as PeerId });
    cluster.tick(40);
    const leader = cluster.leader();
    assert(leader !== undefined, "there is a leader");
    const ref = cluster.propose(leader.id, "goes on");
    cluster.settle();
    assert(
      leader.replies.some((reply) => reply.ref === ref && reply.kind === "committed"),
      "it is committed",
    );
  },
  "§4.1: a new leader changes nothing before it knows the last change": () => {
    const cluster = new TestCluster({ peers: 4, spares: 1, configure: withoutPreVote });
    cluster.elect(1);
    // 5 is added, and only 1 and 2 hear of it; then 3 leads a majority that does not know.
    cluster.isOpen = ({ from, to }) => [1, 2, 5].includes(from) && [1, 2, 5].includes(to);
    change(cluster, 1, { action: "addVoter", peer: 5 });
    cluster.node(1).crash();
    heal(cluster);
    cluster.isOpen = (message) => message.kind !== "appendRequest" || message.entries.length === 0;
    for (const id of [3, 4]) cluster.step(id, { kind: "forgetLeader" });
    cluster.elect(2);
    assert(cluster.node(2).view().role === "leader", "2 leads");
    change(cluster, 2, { action: "remove", peer: 1 });
    const second = cluster.node(2).disk.entries.filter(({ payload }) => payload.kind === "configuration");
    assert(second.length === 1, "the second change is not in the log while the first is open");
  },
  "§4.1: a second change waits until the first is in force": () => {
    const cluster = new TestCluster({ peers: 3, spares: 2 });
    cluster.elect(1);
    cluster.settle();
    isolate(cluster, 1);
    change(cluster, 1, { action: "addVoter", peer: 4 });
    change(cluster, 1, { action: "addVoter", peer: 5 });
    const changes = cluster.node(1).disk.entries.filter(({ payload }) => payload.kind === "configuration");
    assert(changes.length === 1, "one change at a time");
  },
  "§5: a joint configuration survives a snapshot": () => snapshotKeeps("explicit"),
  "§5: the membership is that of the snapshot": () => snapshotKeeps("auto"),
  "etcd #10998: a voter that does not know it yet votes": () => {
    const cluster = new TestCluster({ peers: 2, spares: 1, configure: withoutPreVote });
    cluster.elect(1);
    change(cluster, 1, { action: "addLearner", peer: 3 });
    cluster.tick(5);
    // 3 becomes a voter and does not hear of it. Then 2 is gone for ever.
    isolate(cluster, 1, 2);
    change(cluster, 1, { action: "addVoter", peer: 3 });
    cluster.node(2).crash();
    cluster.node(1).flush();
    cluster.node(1).crash();
    cluster.node(1).start();
    heal(cluster);
    cluster.step(3, { kind: "forgetLeader" });
    assert(
      cluster
        .node(3)
        .view()
        .membership.learners.includes(3 as PeerId),
      "3 takes itself for a learner",
    );
    cluster.elect(1);
    assert(cluster.node(1).view().role === "leader", "it wins with the vote of the member it knows as a voter");
  },
  "§10.2.1: a finished write of an entry that was overwritten makes nothing durable": () => {
    const cluster = new TestCluster({ peers: 3, configure: withoutPreVote });
    cluster.elect(1);
    const two = cluster.node(2);
    two.isDiskStalled = true;
    isolate(cluster, 1, 2);
    cluster.propose(1, "of term 1");
    cluster.settle();
    const { term } = cluster.node(1).view();
    const previous = { term, index: 1 as LogIndex };
    const later = (term + 1) as Term;
    const entries = [{ term: later, index: 2 as LogIndex, payload: { kind: "empty" } }] as const;
    const header = { kind: "appendRequest", from: 3 as PeerId, to: 2 as PeerId, term: later } as const;
    cluster.step(2, { kind: "receive", message: { ...header, previous, entries, commit: 1 as LogIndex } });
    while (two.pendingPersists.length > 1) cluster.persistOne(two);
    assert(two.view().durableIndex === 1, "the entry of the later term is not on disk yet");
  },
  "backpressure is let go when entries are applied": () => {
    const cluster = new TestCluster({ peers: 3, configure: (base) => ({ ...base, uncommittedBytesMax: 20 }) });
    cluster.elect(1);
    for (let count = 0; count < 10; count++) {
      const ref = cluster.propose(1, "0123456789");
      cluster.settle();
      assert(
        cluster.node(1).replies.some((reply) => reply.ref === ref && reply.kind === "committed"),
        "there is room again",
      );
    }
  },
  "recorded scripts give the same output": () => {
    const folder = join(import.meta.dirname, "../../testdata/interaction");
    for (const name of readdirSync(folder).sort()) {
      const { differences } = runScript("interaction", readFileSync(join(folder, name), "utf8"));
      assert(differences.length === 0, `${name} gives the recorded output`);
    }
  },
};

const withLeases = (base: Config): Config => ({ ...base, switches: { ...base.switches, leaseReads: true } });

/** Whether this member answers a read on its lease at once. */
function isReadable(cluster: TestCluster, at: number): boolean {
  const ref = cluster.newRef();
  cluster.step(at, { kind: "read", ref, mode: "lease" });
  return cluster.node(at).replies.some((reply) => reply.ref === ref && reply.kind === "readable");
}

interface MemberChange {
  readonly action: MemberAction;
  readonly peer: number;
  readonly transition?: "auto" | "explicit";
}

/** The leader `at` is told to change the membership. */
function change(cluster: TestCluster, at: number, { action, peer, transition = "auto" }: MemberChange): void {
  const steps = [{ action, peer: peer as PeerId }];
  const version = transition === "auto" ? 1 : 2;
  const order = { version, transition, steps, context: new Uint8Array() } as const;
  cluster.step(at, { kind: "changeConfiguration", ref: cluster.newRef(), change: order });
  cluster.settle();
}

/** A member far behind gets a snapshot taken after a membership change, and knows that membership then. */
function snapshotKeeps(transition: "auto" | "explicit"): void {
  const cluster = new TestCluster({ peers: 3, spares: 1 });
  cluster.elect(1);
  cluster.tick(2);
  cluster.node(3).crash();
  change(cluster, 1, { action: "addLearner", peer: 4, transition });
  for (let count = 0; count < 5; count++) cluster.propose(1, `p${count}`);
  cluster.settle();
  for (const id of [1, 2]) {
    cluster.node(id).flush();
    cluster.step(id, { kind: "compact", throughIndex: cluster.node(id).appliedIndex });
  }
  cluster.node(3).start();
  cluster.tick(60);
  const [leader, late] = [cluster.leader()?.view(), cluster.node(3).view()];
  assert(late.firstIndex > 2, "it was sent a snapshot");
  assert(JSON.stringify(late.membership) === JSON.stringify(leader?.membership), "both know the same membership");
}
