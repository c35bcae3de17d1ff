import type { Message } from "../core/messages.ts";
import type { PeerId } from "../core/types.ts";
import { ClusterChecker } from "./checker.ts";
import { TestCluster } from "./cluster.ts";
import { Ending } from "./random/ending.ts";
import { MemberClocks } from "./random/member-clocks.ts";
import { RandomFaults } from "./random/random-faults.ts";
import { RandomOrders } from "./random/random-orders.ts";
import { drawWorld, type Rates, type World } from "./random/world.ts";
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
  /** Reads that were answered from a lease or a round. */
  readonly reads: number;
}

/**
 * One cluster in a world that the seed draws (`world.ts`), under random scheduling and faults: messages reordered, lost,
 * doubled and very late, links cut, disks slow or hanging, members paused or crashing with loss of what was not durable,
 * leaders lost at bad moments, transfers, reads, compaction, membership changes. Then a minority stays broken and the
 * others must serve; then everything heals and the cluster must agree. Throws `AssertionError` at the first broken promise.
 */
export function runRandomly(options: RandomRunOptions): RandomRunResult {
  return new RandomRun(options).run();
}

/** Ticks of true time in a round, as a share of the tick rate; only with leases, where clocks are bound to each other. */
const leasedTickShare = 1;

/** A slow link delivers so much less. */
const slowShare = 0.05;

class RandomRun {
  readonly #options: RandomRunOptions;
  readonly #world: World;
  readonly #cluster: TestCluster;
  readonly #checker: ClusterChecker;
  readonly #faults: RandomFaults;
  readonly #orders: RandomOrders;
  readonly #clocks: MemberClocks;
  /** Delivered once, and to come again. */
  #late: Message[] = [];
  #round = 0;

  constructor(options: RandomRunOptions) {
    this.#options = options;
    this.#world = drawWorld(options.seed, options.hasMembershipChanges);
    const { peers, spares, configure, clockRates } = this.#world;
    this.#cluster = new TestCluster({ peers, spares, seed: options.seed, configure });
    this.#checker = new ClusterChecker(this.#cluster);
    this.#faults = new RandomFaults(this.#cluster, this.#checker);
    const surroundings = { cluster: this.#cluster, checker: this.#checker, faults: this.#faults };
    this.#orders = new RandomOrders({ ...surroundings, world: this.#world });
    this.#clocks = new MemberClocks(clockRates);
  }

  run(): RandomRunResult {
    const { seed, rounds, quietRounds } = this.#options;
    for (this.#round = 0; this.#round < rounds; this.#round++) {
      // Each round draws from a stream of its own, so that leaving out faults of one does not change the others.
      this.#cluster.reseed(Math.imul(seed, 0x9e3779b1) ^ Math.imul(this.#round + 1, 0x85ebca6b));
      this.#faults.pass();
      if (quietRounds?.has(this.#round) !== true) this.#trouble();
      this.#work();
      this.#move();
      if (this.#round % 32 === 0) this.#checker.checkLogs(this.#cluster);
    }
    this.#faults.wakeAll();
    this.#catchUp();
    const { hasMembershipChanges } = this.#options;
    const parts = { cluster: this.#cluster, checker: this.#checker, orders: this.#orders };
    new Ending({
      ...parts,
      hasMembershipChanges,
      hasStalls: this.#world.hasStalls,
      mayBreak: !this.#faults.hasRotted,
    }).run();
    this.#checker.checkEnd();
    const terms = Math.max(...this.#cluster.running().map((node) => node.view().term));
    return { committedIndex: this.#checker.knownIndex, terms, reads: this.#checker.reads };
  }

  #chance(probability: number): boolean {
    return this.#cluster.random() < probability;
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count);
  }

  /** Does it, and tells it. */
  #do(what: string, act: () => void, about: { readonly member?: PeerId; readonly message?: Message } = {}): void {
    act();
    this.#options.onStep?.({ round: this.#round, what, ...about }, this.#cluster);
  }

  /** Faults, and orders of whoever runs the cluster. */
  #trouble(): void {
    const orders = this.#orders;
    const faults = this.#faults;
    const may = (rate: keyof Rates, what: string, act: () => void): void => {
      if (this.#chance(this.#world.rates[rate])) this.#do(what, act);
    };
    may("heal", "all links work", () => faults.heal());
    may("cut", "a link is cut", () => faults.cutLink());
    may("isolate", "a member is cut off", () => faults.isolate());
    may("slow", "links become slow", () => faults.slowDown());
    may("crash", "a member crashes", () => faults.crash());
    may("crashAll", "everybody crashes", () => faults.crashAll());
    may("usurp", "a leader that has just appended is lost", () => faults.usurp());
    may("restart", "a member starts", () => faults.restart());
    may("pause", "a member pauses", () => faults.pause());
    if (this.#world.hasStalls) may("stall", "a disk hangs", () => faults.stall());
    may("wake", "a member or disk goes on", () => {
      faults.wake();
      this.#catchUp();
    });
    may("transfer", "the leader is to hand over", () => orders.transfer());
    may("compact", "a log is compacted", () => orders.compact());
    may("unreachable", "a member is reported unreachable", () => orders.reportUnreachable());
    may("rot", "a log rots", () => faults.rot());
    may("change", "the membership is to change", () => orders.changeMembership());
  }

  /** Clients. */
  #work(): void {
    if (this.#chance(this.#world.rates.propose)) this.#do("a proposal", () => this.#orders.propose());
    if (this.#chance(this.#world.rates.read)) this.#do("a read", () => this.#orders.read());
    const stale = this.#orders.staleLeader();
    if (stale === undefined) return;
    if (this.#world.hasLeases) this.#checker.checkLeaseOver(stale);
    if (this.#chance(this.#world.rates.staleRead))
      this.#do("a read at an old leader", () => this.#orders.readAt(stale));
  }

  #awake(): readonly TestNode[] {
    return this.#cluster.running().filter((node) => !this.#faults.isPaused(node));
  }

  /** Time, messages, disks and state machines. */
  #move(): void {
    const { rates, hasLeases } = this.#world;
    if (hasLeases) {
      this.#clocks.advance(rates.tick * leasedTickShare);
      this.#catchUp();
    }
    for (const node of this.#awake()) {
      const member = node.id;
      if (!hasLeases && this.#chance(rates.tick)) this.#tick(node);
      if (node.pendingPersists.length > 0 && !node.isDiskStalled && this.#chance(rates.persist))
        this.#do("write", () => this.#cluster.persistOne(node), { member });
      if (node.pendingApplies.length > 0 && this.#chance(rates.apply))
        this.#do("apply", () => this.#apply(node), { member });
      if (node.pendingFetches.length > 0 && this.#chance(rates.apply))
        this.#do("fetch", () => this.#fetch(node), { member });
    }
    this.#passMessages();
  }

  #tick(node: TestNode): void {
    this.#do("tick", () => this.#cluster.step(node.id, { kind: "tick" }), { member: node.id });
  }

  /** A host that was held up tells its core first how late it is, before anything else happens there. */
  #catchUp(): void {
    if (!this.#world.hasLeases) return;
    for (const node of this.#awake()) {
      for (let due = this.#clocks.dueTicks(node); due > 0; due--) this.#tick(node);
    }
  }

  /** Each message on its way may arrive now, later, twice, or never: order is by luck. */
  #passMessages(): void {
    const { rates } = this.#world;
    const { messages } = this.#cluster;
    this.#cluster.messages = [];
    const staying: Message[] = [];
    for (const message of messages) {
      const isHeld = this.#faults.isPaused(this.#cluster.node(message.to));
      if (this.#chance(rates.drop)) this.#do("lost", () => this.#lose(message), { message });
      else if (isHeld || !this.#chance(rates.deliver * (this.#faults.isSlow(message) ? slowShare : 1)))
        staying.push(message);
      else {
        const isOnce = message.kind === "snapshotRequest";
        if (!isOnce && this.#chance(rates.double)) staying.push(message);
        if (!isOnce && this.#chance(rates.late)) this.#late.push(message);
        this.#do("delivered", () => this.#cluster.deliverOne(message), { message });
      }
    }
    this.#cluster.messages = [...staying, ...this.#cluster.messages];
    const [late] = this.#chance(rates.late) ? this.#late.splice(this.#below(this.#late.length), 1) : [];
    if (late !== undefined) this.#do("delivered late", () => this.#arriveLate(late), { message: late });
  }

  /** It had left before any link was cut. */
  #arriveLate(message: Message): void {
    if (this.#faults.isPaused(this.#cluster.node(message.to))) return;
    this.#cluster.step(message.to, { kind: "receive", message });
    this.#checker.arrived(message);
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
}
