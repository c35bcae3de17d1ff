import { createRaft } from "../core/create-raft.ts";
import { defaultConfig, type Config, type DurableState } from "../core/config.ts";
import type { Entry, HardState, Membership, SnapshotMeta } from "../core/entries.ts";
import type { Input } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, Output, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore, RaftView } from "../core/raft-core.ts";
import type { LogIndex, PeerId, Random, Term } from "../core/types.ts";
import { assert } from "@holdfast/base";
import { seededRandom } from "./seeded-random.ts";

/** What one node of the cluster has on its memory disk, and what is on the way there. */
export interface TestDisk {
  hardState: HardState;
  logStart: SnapshotMeta;
  entries: Entry[];
}

/** How the memory cluster is made. */
export interface TestClusterOptions {
  readonly peers: number;
  readonly seed?: number;
  /** Nodes that exist but are no members at first. */
  readonly spares?: number;
  readonly configure?: (base: Config) => Config;
}

/** One member: its core, its disk, and what it has applied. */
export class TestNode {
  readonly id: PeerId;
  readonly disk: TestDisk;
  readonly applied: Entry[] = [];
  readonly replies: Reply[] = [];
  readonly events: CoreEvent[] = [];
  /** Orders given and not carried out, with the messages that wait for them. */
  pendingPersists: { readonly order: PersistOrder; readonly after: readonly Message[] }[] = [];
  pendingApplies: (readonly Entry[])[] = [];
  pendingFetches: FetchOrder[] = [];
  /** Undefined while crashed. */
  core: RaftCore | undefined;
  /** The disk takes orders but finishes none. */
  isDiskStalled = false;
  readonly #config: Config;
  readonly #random: Random;
  appliedIndex: LogIndex = 0 as LogIndex;

  constructor(config: Config, membership: Membership, random: Random) {
    this.id = config.id;
    this.#config = config;
    this.#random = random;
    const zero = { term: 0 as Term, index: 0 as LogIndex };
    this.disk = {
      hardState: { term: zero.term, vote: 0 as PeerId, commit: zero.index },
      logStart: { ...zero, membership },
      entries: [],
    };
    this.start();
  }

  /** Begins from what is on the disk. The state machine is durable with what it applied. */
  start(): void {
    const { disk } = this;
    const last = disk.entries[disk.entries.length - 1]?.index ?? disk.logStart.index;
    this.core = createRaft(this.#config, bootFrom(disk, Math.min(this.appliedIndex, last) as LogIndex), this.#random);
  }

  /** Loses everything that was not on the disk. */
  crash(): void {
    this.core = undefined;
    this.pendingPersists = [];
    this.pendingApplies = [];
    this.pendingFetches = [];
  }

  view(): RaftView {
    assert(this.core !== undefined, "the node runs");
    return this.core.view();
  }

  /** Carries out one persist order and everything it frees. */
  finishPersist(): readonly Message[] {
    const next = this.pendingPersists.shift();
    if (next === undefined || this.core === undefined) return [];
    this.#write(next.order);
    this.core.step({ kind: "persisted", token: next.order.token });
    return next.after;
  }

  #write(order: PersistOrder): void {
    const { disk } = this;
    if (order.snapshot !== undefined) {
      disk.logStart = order.snapshot;
      disk.entries = [];
      this.appliedIndex = order.snapshot.index;
    }
    const first = order.append[0];
    if (first !== undefined) {
      disk.entries = disk.entries.filter((entry) => entry.index < first.index);
      disk.entries.push(...order.append);
    }
    if (order.hardState !== undefined) disk.hardState = order.hardState;
  }

  /** Applies the oldest batch. */
  finishApply(): void {
    const batch = this.pendingApplies.shift();
    const last = batch?.[batch.length - 1];
    if (batch === undefined || last === undefined || this.core === undefined) return;
    this.applied.push(...batch);
    this.appliedIndex = last.index;
    this.core.step({ kind: "applied", index: last.index });
  }

  /** Answers the oldest fetch. */
  finishFetch(): void {
    const fetch = this.pendingFetches.shift();
    if (fetch === undefined || this.core === undefined) return;
    const entries = this.disk.entries.filter(
      (entry) => entry.index >= fetch.fromIndex && entry.index <= fetch.toIndex,
    );
    const isThere = entries[0]?.index === fetch.fromIndex;
    this.core.step({ kind: "fetched", ref: fetch.ref, entries: isThere ? entries : "compacted" });
  }
}

/** The boot state that a log store would find on this disk. */
export function bootFrom(disk: TestDisk, appliedIndex: LogIndex): DurableState {
  const termRuns: { term: Term; firstIndex: LogIndex }[] = [];
  for (const { term, index } of disk.entries) {
    if (termRuns[termRuns.length - 1]?.term !== term) termRuns.push({ term, firstIndex: index });
  }
  return {
    hardState: disk.hardState,
    logStart: disk.logStart,
    termRuns,
    lastIndex: disk.entries[disk.entries.length - 1]?.index ?? disk.logStart.index,
    configurationEntries: disk.entries.filter((entry) => entry.payload.kind === "configuration"),
    window: [...disk.entries],
    appliedIndex: Math.max(appliedIndex, disk.logStart.index) as LogIndex,
  };
}

/** Cores with a message queue, memory disks and faults, all in one thread and all from one seed. */
export class TestCluster {
  readonly nodes: ReadonlyMap<PeerId, TestNode>;
  /** On the way, oldest first. */
  messages: Message[] = [];
  /** Whether a message gets through; tests replace it to cut links. */
  isOpen: (message: Message) => boolean = () => true;
  readonly random: Random;
  #nextRef = 1;

  constructor(options: TestClusterOptions) {
    this.random = seededRandom(options.seed ?? 1);
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
    node.core.step(input);
    this.collect(node);
  }

  /** Proposes text at a node; the reference under which the reply will come. */
  propose(id: number, text: string): number {
    const ref = this.#nextRef++;
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
    this.messages.push(...output.send.filter((message) => this.isOpen(message)));
    if (output.persist !== undefined) {
      node.pendingPersists.push({ order: output.persist, after: output.sendAfter.map(({ message }) => message) });
    }
    if (output.apply.length > 0) node.pendingApplies.push(output.apply);
    node.pendingFetches.push(...output.fetch);
    if (output.compact !== undefined) {
      const { compact } = output;
      node.disk.logStart = compact;
      node.disk.entries = node.disk.entries.filter((entry) => entry.index > compact.index);
    }
  }

  /** One persist order of a node finishes; what waited for it goes out. */
  persistOne(node: TestNode): void {
    const after = node.finishPersist();
    this.messages.push(...after.filter((message) => this.isOpen(message)));
    this.collect(node);
  }

  /** The oldest message arrives. A snapshot leaves its sender with what the sender has applied by then. */
  deliverOne(message: Message): void {
    const node = this.nodes.get(message.to);
    if (node?.core === undefined || !this.isOpen(message)) {
      if (message.kind === "snapshotRequest") this.step(message.from, { kind: "snapshotSent", peer: message.to, isOk: false });
      return;
    }
    if (message.kind === "snapshotRequest") {
      const sender = this.nodes.get(message.from);
      node.applied.length = 0;
      node.applied.push(...(sender?.applied.filter((entry) => entry.index <= message.snapshot.index) ?? []));
    }
    this.step(message.to, { kind: "receive", message });
    if (message.kind === "snapshotRequest") this.step(message.from, { kind: "snapshotSent", peer: message.to, isOk: true });
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

  /** This node campaigns and the cluster settles. */
  elect(id: number): void {
    this.step(id, { kind: "campaign" });
    this.settle();
  }
}
