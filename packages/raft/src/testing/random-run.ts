import { assert } from "@holdfast/base";
import { productSwitches, type Config } from "../core/config.ts";
import type { ConfigurationChange, MemberAction } from "../core/entries.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { ClusterChecker } from "./checker.ts";
import { TestCluster } from "./cluster.ts";
import type { TestNode } from "./test-node.ts";

/** How a random run is made; everything else follows from the seed. */
export interface RandomRunOptions {
  readonly seed: number;
  readonly actions: number;
  readonly hasMembershipChanges: boolean;
  /** Actions left out, by number: what shrinking a red run tries. Others stay as they are. */
  readonly without?: ReadonlySet<number>;
  /** Told every action before it happens. */
  readonly onAction?: (number: number, cluster: TestCluster) => void;
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

class RandomRun {
  readonly #options: RandomRunOptions;
  readonly #cluster: TestCluster;
  readonly #checker = new ClusterChecker();
  /** Likelihood of each action, drawn anew for every seed (swarm testing). */
  readonly #weights: { readonly act: () => void; readonly weight: number }[];
  readonly #cut = new Set<string>();

  constructor(options: RandomRunOptions) {
    this.#options = options;
    const spares = options.hasMembershipChanges ? 2 : 0;
    const peers = options.seed % 3 === 0 ? 5 : 3;
    this.#cluster = new TestCluster({ peers, spares, seed: options.seed, configure: smallConfig });
    this.#cluster.isOpen = (message) => !this.#cut.has(`${message.from}-${message.to}`);
    this.#weights = this.#drawWeights();
  }

  run(): RandomRunResult {
    for (let done = 0; done < this.#options.actions; done++) {
      // Each action draws from a stream of its own, so that leaving one out does not change the others.
      this.#cluster.reseed(Math.imul(this.#options.seed, 0x9e3779b1) ^ Math.imul(done + 1, 0x85ebca6b));
      const act = this.#pickAction();
      if (this.#options.without?.has(done) === true) continue;
      this.#options.onAction?.(done, this.#cluster);
      act();
      this.#checker.check(this.#cluster);
      if (done % 64 === 0) this.#checker.checkLogs(this.#cluster);
    }
    this.#heal();
    this.#checker.checkEnd();
    const terms = Math.max(...this.#cluster.running().map((node) => node.view().term));
    return { committedIndex: this.#checker.knownIndex, terms };
  }

  #drawWeights(): { readonly act: () => void; readonly weight: number }[] {
    const often = (act: () => void): { act: () => void; weight: number } => ({ act, weight: 1 + this.#below(40) });
    const seldom = (act: () => void): { act: () => void; weight: number } => ({ act, weight: this.#below(4) });
    const usual = [() => this.#tick(), () => this.#deliver(), () => this.#deliver(), () => this.#persist()];
    const faults = [() => this.#drop(), () => this.#double(), () => this.#cutOrHeal(), () => this.#crash()];
    const orders = [() => this.#transfer(), () => this.#compact(), () => this.#read(), () => this.#unreachable()];
    if (this.#options.hasMembershipChanges) orders.push(() => this.#changeMembership());
    const work = [() => this.#apply(), () => this.#fetch(), () => this.#propose(), () => this.#restart()];
    return [...usual.map(often), ...work.map(often), ...faults.map(seldom), ...orders.map(seldom)];
  }

  #pickAction(): () => void {
    const total = this.#weights.reduce((sum, { weight }) => sum + weight, 0);
    let at = this.#below(total);
    for (const { act, weight } of this.#weights) {
      at -= weight;
      if (at < 0) return act;
    }
    return () => this.#tick();
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count);
  }

  #anyNode(): TestNode | undefined {
    const running = this.#cluster.running();
    return running[this.#below(running.length)];
  }

  #tick(): void {
    const node = this.#anyNode();
    if (node !== undefined) this.#cluster.step(node.id, { kind: "tick" });
  }

  /** Mostly in order, sometimes not. */
  #deliver(): void {
    const { messages } = this.#cluster;
    const place = this.#below(4) === 0 ? this.#below(messages.length) : 0;
    const [message] = messages.splice(place, 1);
    if (message !== undefined) this.#cluster.deliverOne(message);
  }

  #drop(): void {
    const { messages } = this.#cluster;
    const [lost] = messages.splice(this.#below(messages.length), 1);
    if (lost?.kind === "snapshotRequest")
      this.#cluster.step(lost.from, { kind: "snapshotSent", peer: lost.to, isOk: false });
  }

  #double(): void {
    const { messages } = this.#cluster;
    const message = messages[this.#below(messages.length)];
    if (message !== undefined && message.kind !== "snapshotRequest") messages.push(message);
  }

  #persist(): void {
    const node = this.#anyNode();
    if (node !== undefined) this.#cluster.persistOne(node);
  }

  #apply(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    node.finishApply();
    if (this.#below(3) === 0) node.flush();
    this.#cluster.collect(node);
  }

  #fetch(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
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

  #cutOrHeal(): void {
    if (this.#below(2) === 0) {
      this.#cut.clear();
      return;
    }
    const count = this.#cluster.nodes.size;
    this.#cut.add(`${1 + this.#below(count)}-${1 + this.#below(count)}`);
  }

  #crash(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    this.#checker.check(this.#cluster);
    if (this.#below(3) === 0) node.tear();
    node.crash();
    this.#checker.crashed(node.id);
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
    const actions: readonly MemberAction[] = ["addVoter", "addLearner", "remove"];
    const steps = Array.from({ length: this.#below(3) }, () => ({
      action: actions[this.#below(3)] ?? "addVoter",
      peer: (1 + this.#below(this.#cluster.nodes.size)) as PeerId,
    }));
    const transition = (["auto", "implicit", "explicit"] as const)[this.#below(3)] ?? "auto";
    const change: ConfigurationChange = { version: 2, transition, steps, context: new Uint8Array() };
    this.#cluster.step(leader.id, { kind: "changeConfiguration", ref: this.#newRef(leader), change });
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
      if (!this.#isAgreed(leader)) continue;
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

function smallConfig(base: Config): Config {
  return {
    ...base,
    electionTicks: 6,
    heartbeatTicks: 1,
    appendBytesMax: 40,
    inflightAppendsMax: 3,
    inflightBytesMax: 200,
    uncommittedBytesMax: 60,
    applyBytesMax: 60,
    windowBytesMax: 60,
    persistStallTicks: 0,
    resolveTicks: 8,
    switches: productSwitches,
  };
}
