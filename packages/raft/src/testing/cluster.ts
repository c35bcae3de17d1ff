import { assert } from "@holdfast/base";
import { defaultConfig, type Config } from "../core/config.ts";
import type { Entry } from "../core/entries.ts";
import type { Input } from "../core/input.ts";
import { without } from "../core/index-ranges.ts";
import type { Message } from "../core/messages.ts";
import type { Output, PersistOrder } from "../core/output.ts";
import type { PeerId, Random } from "../core/types.ts";
import { seededRandom } from "./seeded-random.ts";
import { TestNode } from "./test-node.ts";

/** How the memory cluster is made. */
export interface TestClusterOptions {
  readonly peers: number;
  readonly seed?: number;
  /** Nodes that exist but are no members at first. */
  readonly spares?: number;
  readonly configure?: (base: Config) => Config;
}

/** Looks on while a cluster works. */
export interface ClusterWatch {
  /** A core was given something, and what came out of it was taken. */
  stepped(node: TestNode): void;
  /** A message leaves its sender, whether or not it gets through. */
  left(message: Message): void;
  /** A message arrived, and was stepped. */
  arrived(message: Message): void;
  /** A member's clock ticked. */
  ticked(node: TestNode): void;
  /** A member is told to write this, beside what it was told before. */
  writing(node: TestNode, order: PersistOrder): void;
}

/** Cores with a message queue, memory disks and faults, all in one thread and all from one seed. */
export class TestCluster {
  readonly nodes: ReadonlyMap<PeerId, TestNode>;
  /** On the way, oldest first. */
  messages: Message[] = [];
  /** Whether a message gets through; tests replace it to cut links. */
  isOpen: (message: Message) => boolean = () => true;
  watch: ClusterWatch | undefined;
  readonly random: Random = () => this.#source();
  #source: Random;
  readonly #snapshots = new WeakMap<Message, readonly Entry[]>();
  #nextRef = 1;

  constructor(options: TestClusterOptions) {
    this.#source = seededRandom(options.seed ?? 1);
    const ids = Array.from({ length: options.peers + (options.spares ?? 0) }, (_, place) => (place + 1) as PeerId);
    const voters = ids.slice(0, options.peers);
    const nobodyYet = { votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const configure = options.configure ?? ((base: Config): Config => base);
    this.nodes = new Map(
      ids.map((id) => {
        const membership = { voters: voters.includes(id) ? voters : [], ...nobodyYet };
        return [id, new TestNode(configure(defaultConfig(id)), membership, this.random)];
      }),
    );
  }

  /** All that is drawn from here on follows from this seed. */
  reseed(seed: number): void {
    this.#source = seededRandom(seed);
  }

  /** The node with this number. */
  node(id: number): TestNode {
    const node = this.nodes.get(id as PeerId);
    assert(node !== undefined, "the node exists");
    return node;
  }

  /** Those that run. */
  running(): TestNode[] {
    return [...this.nodes.values()].filter((node) => node.core !== undefined);
  }

  /** Who leads in the highest term. */
  leader(): TestNode | undefined {
    const leaders = this.running().filter((node) => node.view().role === "leader");
    leaders.sort((left, right) => right.view().term - left.view().term);
    return leaders[0];
  }

  /** Gives one input to one node and takes what comes out. */
  step(id: number, input: Input): void {
    const node = this.node(id);
    if (node.core === undefined) return;
    if (input.kind === "tick") node.ticks++;
    node.core.step(input);
    this.collect(node);
    if (input.kind === "tick") this.watch?.ticked(node);
  }

  /** Proposes text at a node; the reference under which the reply comes. */
  propose(id: number, text: string, ref = this.newRef()): number {
    const data = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    this.step(id, { kind: "propose", proposals: [{ ref, data }] });
    return ref;
  }

  /** A reference nobody used. */
  newRef(): number {
    return this.#nextRef++;
  }

  /** Takes what a node's core wants done. */
  collect(node: TestNode): void {
    if (node.core === undefined) return;
    const output: Output = node.core.drain();
    node.replies.push(...output.replies);
    node.events.push(...output.events);
    this.#enqueue(output.send);
    if (output.persist !== undefined) {
      this.watch?.writing(node, output.persist);
      const after = output.sendAfter.map(({ message }) => message);
      node.pendingPersists.push({ order: output.persist, after, sinceTick: node.ticks });
    }
    if (output.apply.length > 0) node.pendingApplies.push(output.apply);
    node.pendingFetches.push(...output.fetch);
    if (output.compact !== undefined) {
      const { compact } = output;
      node.disk.logStart = compact;
      node.disk.entries = node.disk.entries.filter((entry) => entry.index > compact.index);
      node.disk.lost = without(node.disk.lost, { from: 0, to: compact.index });
    }
    this.watch?.stepped(node);
  }

  /** One persist order of a node finishes; what waited for it goes out. */
  persistOne(node: TestNode): void {
    this.#enqueue(node.finishPersist());
    this.collect(node);
  }

  /** Messages leave, unless their link is cut. A snapshot's content is what its sender has applied when it leaves. */
  #enqueue(messages: readonly Message[]): void {
    for (const message of messages) {
      this.watch?.left(message);
      if (message.kind === "snapshotRequest") {
        const { index } = message.snapshot;
        const applied = this.node(message.from).applied.filter((entry) => entry.index <= index);
        this.#snapshots.set(message, applied);
      }
      if (this.isOpen(message)) this.messages.push(message);
      else this.#reportSnapshot(message, false);
    }
  }

  /** A message arrives, with a snapshot's content. */
  deliverOne(message: Message): void {
    const node = this.nodes.get(message.to);
    if (node?.core === undefined || !this.isOpen(message)) {
      this.#reportSnapshot(message, false);
      return;
    }
    if (message.kind === "snapshotRequest") {
      // An older one that comes late does not take the place of one that is about to be installed.
      const { index } = message.snapshot;
      if (index >= (node.staged?.index ?? 0)) node.staged = { index, applied: this.#snapshots.get(message) ?? [] };
    }
    this.step(message.to, { kind: "receive", message });
    this.watch?.arrived(message);
    this.#reportSnapshot(message, true);
  }

  #reportSnapshot(message: Message, isOk: boolean): void {
    if (message.kind === "snapshotRequest") this.step(message.from, { kind: "snapshotSent", peer: message.to, isOk });
  }

  /** Everything that can happen without time passing happens. */
  settle(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      let isQuiet = true;
      for (const node of this.running()) {
        while (node.pendingPersists.length > 0 && !node.isDiskStalled) {
          this.persistOne(node);
          isQuiet = false;
        }
        while (node.pendingApplies.length > 0) {
          node.finishApply();
          this.collect(node);
          isQuiet = false;
        }
        while (node.pendingFetches.length > 0) {
          node.finishFetch();
          this.collect(node);
          isQuiet = false;
        }
      }
      const arriving = this.messages;
      this.messages = [];
      for (const message of arriving) this.deliverOne(message);
      if (isQuiet && arriving.length === 0) return;
    }
    assert(false, "a cluster settles");
  }

  /** Time passes at every node. */
  tick(count = 1): void {
    for (let passed = 0; passed < count; passed++) {
      for (const node of this.running()) this.step(node.id, { kind: "tick" });
      this.settle();
    }
  }

  /** As `elect`, once everybody has run for an election timeout: with leases nobody votes before. */
  electLate(id: number): void {
    const { electionTicks } = this.node(id).config;
    for (const node of this.running()) this.step(node.id, { kind: "pinElectionTimeout", ticks: 2 * electionTicks });
    this.tick(electionTicks);
    this.elect(id);
  }

  /** This node campaigns and the cluster settles. */
  elect(id: number): void {
    this.step(id, { kind: "campaign" });
    this.settle();
  }
}
