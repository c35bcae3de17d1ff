import { assert } from "@holdfast/base";
import type { ConfigurationChange, MemberAction, MemberStep } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { ClusterChecker } from "./checker.ts";
import { TestCluster } from "./cluster.ts";
import { roomyConfig, smallConfig } from "./random-config.ts";
import type { TestNode } from "./test-node.ts";

/** How a random run is made; everything else follows from the seed. */
export interface RandomRunOptions {
  readonly seed: number;
  /** Each is a moment in which every member may tick, and everything on its way may move. */
  readonly rounds: number;
  readonly hasMembershipChanges: boolean;
  /** Rounds in which no fault or order is begun: what shrinking a red run tries. Others draw as before. */
  readonly quietRounds?: ReadonlySet<number>;
  /** Told what has just happened. */
  readonly onStep?: (step: RandomStep, cluster: TestCluster) => void;
}

/** One thing that happened in a run. */
export interface RandomStep {
  readonly round: number;
  readonly what: string;
  /** Whom it happened to. */
  readonly member?: PeerId;
  /** What arrived or was lost. */
  readonly message?: Message;
}

/** What happened, to see that a run was not idle. */
export interface RandomRunResult {
  readonly committedIndex: number;
  readonly terms: number;
}

/**
 * One cluster under random scheduling and faults: messages reordered, lost and doubled, links cut, disks slow, members
 * crashing with loss of what was not durable, transfers, reads, compaction, membership changes. Then everything heals
 * and the cluster must agree and go on. Throws `AssertionError` at the first broken promise.
 */
export function runRandomly(options: RandomRunOptions): RandomRunResult {
  return new RandomRun(options).run();
}

interface Rates {
  readonly tick: number;
  readonly deliver: number;
  readonly persist: number;
  readonly apply: number;
  readonly propose: number;
  readonly read: number;
  readonly restart: number;
  readonly heal: number;
  readonly drop: number;
  readonly double: number;
  readonly cut: number;
  readonly isolate: number;
  readonly crash: number;
  readonly crashAll: number;
  readonly transfer: number;
  readonly compact: number;
  readonly unreachable: number;
  readonly change: number;
  readonly rot: number;
}

class RandomRun {
  readonly #options: RandomRunOptions;
  readonly #cluster: TestCluster;
  readonly #checker = new ClusterChecker();
  /** How likely things are in a round, drawn anew for every seed (swarm testing). */
  readonly #rates: Rates;
  readonly #cut = new Set<string>();
  #round = 0;
  /** Whose disk rots. */
  #rotten: TestNode | undefined;

  constructor(options: RandomRunOptions) {
    this.#options = options;
    const spares = options.hasMembershipChanges ? 2 : 0;
    const peers = options.seed % 3 === 0 ? 5 : 3;
    const configure = options.seed % 4 < 2 ? smallConfig : roomyConfig;
    this.#cluster = new TestCluster({ peers, spares, seed: options.seed, configure });
    this.#cluster.isOpen = (message) => !this.#cut.has(`${message.from}-${message.to}`);
    this.#rates = this.#drawRates();
  }

  run(): RandomRunResult {
    const { seed, rounds, quietRounds } = this.#options;
    for (this.#round = 0; this.#round < rounds; this.#round++) {
      // Each round draws from a stream of its own, so that leaving out faults of one does not change the others.
      this.#cluster.reseed(Math.imul(seed, 0x9e3779b1) ^ Math.imul(this.#round + 1, 0x85ebca6b));
      if (quietRounds?.has(this.#round) !== true) this.#trouble();
      this.#work();
      this.#move();
      if (this.#round % 32 === 0) this.#checker.checkLogs(this.#cluster);
    }
    this.#heal();
    this.#checker.checkEnd();
    const terms = Math.max(...this.#cluster.running().map((node) => node.view().term));
    return { committedIndex: this.#checker.knownIndex, terms };
  }

  #drawRates(): Rates {
    const rate = (most: number): number => this.#cluster.random() ** 2 * most;
    // About half of the faults and orders do not occur at all in a run.
    const sometimes = (most: number): number => (this.#below(2) === 0 ? 0 : rate(most));
    return {
      tick: 0.1 + rate(0.6),
      deliver: 0.4 + rate(0.6),
      persist: 0.3 + rate(0.7),
      apply: 0.2 + rate(0.8),
      propose: 0.05 + rate(0.6),
      read: rate(0.3),
      restart: 0.05 + rate(0.4),
      heal: 0.01 + rate(0.1),
      drop: sometimes(0.15),
      double: sometimes(0.1),
      cut: sometimes(0.1),
      isolate: sometimes(0.06),
      crash: sometimes(0.06),
      crashAll: sometimes(0.01),
      transfer: sometimes(0.05),
      compact: sometimes(0.1),
      unreachable: sometimes(0.05),
      change: this.#options.hasMembershipChanges ? rate(0.2) : 0,
      rot: sometimes(0.08),
    };
  }

  #chance(probability: number): boolean {
    return this.#cluster.random() < probability;
  }

  /** Does it, tells it, and looks whether every promise is kept. */
  #do(what: string, act: () => void, about: { readonly member?: PeerId; readonly message?: Message } = {}): void {
    act();
    this.#options.onStep?.({ round: this.#round, what, ...about }, this.#cluster);
    this.#checker.check(this.#cluster);
  }

  /** Faults, and orders of whoever runs the cluster. */
  #trouble(): void {
    const rates = this.#rates;
    if (this.#chance(rates.heal)) this.#do("all links work", () => this.#cut.clear());
    if (this.#chance(rates.cut)) this.#do("a link is cut", () => this.#cutLink());
    if (this.#chance(rates.isolate)) this.#do("a member is cut off", () => this.#isolate());
    if (this.#chance(rates.crash)) this.#do("a member crashes", () => this.#crash(this.#victim()));
    if (this.#chance(rates.crashAll)) {
      for (const node of this.#cluster.running()) this.#do("everybody crashes", () => this.#crash(node));
    }
    if (this.#chance(rates.restart)) this.#do("a member starts", () => this.#restart());
    if (this.#chance(rates.transfer)) this.#do("the leader is to hand over", () => this.#transfer());
    if (this.#chance(rates.compact)) this.#do("a log is compacted", () => this.#compact());
    if (this.#chance(rates.unreachable)) this.#do("a member is reported unreachable", () => this.#unreachable());
    if (this.#chance(rates.change)) this.#do("the membership is to change", () => this.#changeMembership());
    if (rates.rot > 0 && this.#chance(rates.rot)) this.#do("a log rots", () => this.#rot());
  }

  /** Clients. */
  #work(): void {
    if (this.#chance(this.#rates.propose)) this.#do("a proposal", () => this.#propose());
    if (this.#chance(this.#rates.read)) this.#do("a read", () => this.#read());
  }

  /** Time, messages, disks and state machines. */
  #move(): void {
    const rates = this.#rates;
    for (const node of this.#cluster.running()) {
      const { id } = node;
      if (this.#chance(rates.tick)) this.#do("tick", () => this.#cluster.step(id, { kind: "tick" }), { member: id });
      if (node.pendingPersists.length > 0 && this.#chance(rates.persist)) {
        this.#do("write", () => this.#cluster.persistOne(node), { member: id });
      }
      if (node.pendingApplies.length > 0 && this.#chance(rates.apply))
        this.#do("apply", () => this.#apply(node), { member: id });
      if (node.pendingFetches.length > 0 && this.#chance(rates.apply))
        this.#do("fetch", () => this.#fetch(node), { member: id });
    }
    this.#passMessages();
  }

  /** Each message on its way may arrive now, later, twice, or never: order is by luck. */
  #passMessages(): void {
    const { messages } = this.#cluster;
    this.#cluster.messages = [];
    const staying: Message[] = [];
    for (const message of messages) {
      if (this.#chance(this.#rates.drop)) this.#do("lost", () => this.#lose(message), { message });
      else if (!this.#chance(this.#rates.deliver)) staying.push(message);
      else {
        if (message.kind !== "snapshotRequest" && this.#chance(this.#rates.double)) staying.push(message);
        this.#do("delivered", () => this.#cluster.deliverOne(message), { message });
      }
    }
    this.#cluster.messages = [...staying, ...this.#cluster.messages];
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count);
  }

  #anyNode(): TestNode | undefined {
    const running = this.#cluster.running();
    return running[this.#below(running.length)];
  }

  /** Mostly whoever leads: that is where it hurts. */
  #victim(): TestNode | undefined {
    return this.#below(2) === 0 ? (this.#cluster.leader() ?? this.#anyNode()) : this.#anyNode();
  }

  #lose(lost: Message): void {
    if (lost.kind !== "snapshotRequest") return;
    this.#cluster.step(lost.from, { kind: "snapshotSent", peer: lost.to, isOk: false });
  }

  #apply(node: TestNode): void {
    node.finishApply();
    if (this.#below(3) === 0) node.flush();
    this.#cluster.collect(node);
  }

  #fetch(node: TestNode): void {
    node.finishFetch();
    this.#cluster.collect(node);
  }

  #propose(): void {
    const node = this.#cluster.leader() ?? this.#anyNode();
    if (node === undefined) return;
    const text = `p${this.#cluster.newRef()}`;
    const ref = this.#cluster.propose(node.id, text);
    this.#checker.proposed(ref, text);
    this.#checker.asked(ref, node.id);
  }

  #read(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    const ref = this.#newRef(node);
    this.#checker.readBegan(ref);
    this.#cluster.step(node.id, { kind: "read", ref, mode: "safe" });
  }

  #transfer(): void {
    const leader = this.#cluster.leader();
    const target = this.#anyNode();
    if (leader === undefined || target === undefined) return;
    this.#cluster.step(leader.id, { kind: "transfer", ref: this.#newRef(leader), to: target.id });
  }

  #compact(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    node.flush();
    const throughIndex = Math.max(0, node.flushedIndex - this.#below(4)) as LogIndex;
    this.#cluster.step(node.id, { kind: "compact", throughIndex });
  }

  #unreachable(): void {
    const leader = this.#cluster.leader();
    const peer = this.#anyNode();
    if (leader !== undefined && peer !== undefined)
      this.#cluster.step(leader.id, { kind: "unreachable", peer: peer.id });
  }

  #cutLink(): void {
    const count = this.#cluster.nodes.size;
    this.#cut.add(`${1 + this.#below(count)}-${1 + this.#below(count)}`);
  }

  /** One member, maybe with one friend, hears nobody else, or is heard by nobody else, or both. */
  #isolate(): void {
    const alone = this.#victim();
    if (alone === undefined) return;
    const friend = this.#below(3) === 0 ? 1 + this.#below(this.#cluster.nodes.size) : alone.id;
    const manner = this.#below(4);
    for (const id of this.#cluster.nodes.keys()) {
      if (id === alone.id || id === friend) continue;
      for (const inside of [alone.id, friend]) {
        if (manner !== 0) this.#cut.add(`${id}-${inside}`);
        if (manner !== 1) this.#cut.add(`${inside}-${id}`);
      }
    }
  }

  #crash(node: TestNode | undefined): void {
    if (node === undefined) return;
    // A group in which too many are down does nothing that could go wrong.
    const isLast = this.#cluster.running().length * 2 <= this.#cluster.nodes.size;
    if (isLast && this.#below(4) > 0) return;
    this.#checker.check(this.#cluster);
    if (this.#below(3) === 0) node.tear();
    node.crash();
    this.#checker.crashed(node.id);
  }

  /**
   * One member, the same in the whole run, crashes, and some of what is on its disk cannot be read any more. A group of
   * less than three bears no such loss.
   */
  #rot(): void {
    const voters = this.#cluster.leader()?.view().membership;
    const isBearable = voters !== undefined && voters.voters.length > 2 && voters.votersOutgoing.length === 0;
    const node = this.#rotten ?? this.#victim();
    if (!isBearable || node === undefined) return;
    this.#rotten = node;
    if (node.core !== undefined) {
      node.crash();
      this.#checker.crashed(node.id);
    }
    const { entries } = node.disk;
    for (let count = 1 + this.#below(3); count > 0 && entries.length > 0; count--) {
      // The end is where logs differ.
      const fromEnd = this.#below(this.#below(2) === 0 ? entries.length : Math.min(entries.length, 6));
      const first = entries.length - 1 - fromEnd;
      const last = Math.min(entries.length - 1, first + this.#below(4));
      node.rot(entries[first]?.index ?? (0 as LogIndex), entries[last]?.index ?? (0 as LogIndex));
    }
  }

  #newRef(node: TestNode): number {
    const ref = this.#cluster.newRef();
    this.#checker.asked(ref, node.id);
    return ref;
  }

  #restart(): void {
    for (const node of this.#cluster.nodes.values()) {
      if (node.core !== undefined) continue;
      node.start();
      return;
    }
  }

  #changeMembership(): void {
    const leader = this.#cluster.leader();
    if (leader === undefined) return;
    const steps = Array.from({ length: 1 + this.#below(2) }, () => this.#drawStep(leader));
    // Without steps: leave the joint configuration.
    if (leader.view().membership.votersOutgoing.length > 0) steps.length = 0;
    const transition = (["auto", "implicit", "explicit"] as const)[this.#below(3)] ?? "auto";
    const change: ConfigurationChange = { version: 2, transition, steps, context: new Uint8Array() };
    this.#cluster.step(leader.id, { kind: "changeConfiguration", ref: this.#newRef(leader), change });
  }

  /** Mostly one that fits. */
  #drawStep(leader: TestNode): MemberStep {
    const peer = (1 + this.#below(this.#cluster.nodes.size)) as PeerId;
    const { voters, learners } = leader.view().membership;
    const fitting: readonly MemberAction[] = voters.includes(peer)
      ? ["remove", "addLearner"]
      : learners.includes(peer)
        ? ["addVoter", "addVoter", "remove"]
        : ["addVoter", "addLearner"];
    return { action: fitting[this.#below(fitting.length)] ?? "addVoter", peer };
  }

  /** All faults end; within a bounded time there is a leader, a new proposal commits, and all members agree. */
  #heal(): void {
    const cluster = this.#cluster;
    this.#cut.clear();
    for (const node of cluster.nodes.values()) if (node.core === undefined) node.start();
    for (const node of cluster.running()) cluster.collect(node);
    cluster.settle();
    for (let attempts = 0; attempts < 60; attempts++) {
      cluster.tick(5);
      this.#checker.check(cluster);
      const leader = cluster.leader();
      if (leader === undefined || !leader.view().isReadyLeader) continue;
      const text = `end${attempts}`;
      const ref = cluster.propose(leader.id, text);
      this.#checker.proposed(ref, text);
      cluster.settle();
      cluster.tick(5);
      this.#checker.check(cluster);
      const isCommitted = cluster
        .node(leader.id)
        .replies.some((reply) => reply.ref === ref && reply.kind === "committed");
      if (!isCommitted || !this.#isAgreed(leader)) continue;
      // Whatever is still open runs into its time limit.
      cluster.tick(20);
      this.#checker.check(cluster);
      return;
    }
    assert(false, "a healed cluster has a leader and agrees within its time");
  }

  #isAgreed(leader: TestNode): boolean {
    const view = leader.core?.view();
    if (view?.role !== "leader" || view.appliedIndex !== view.lastIndex) return false;
    return view.peers.every(({ id }) => this.#cluster.node(id).appliedIndex === view.appliedIndex);
  }
}
