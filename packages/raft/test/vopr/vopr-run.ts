import { createSimNetwork } from "@holdfast/rpc/sim";
import { createSeededRandom, createSimWorld, type SimWorld } from "@holdfast/runtime/sim";
import type { RaftStatus } from "../../src/api.ts";
import { FaultInjector } from "./fault-injector.ts";
import {
  drawPlan,
  faultKinds,
  leaseDriftPercent,
  type BrokenKind,
  type FaultKind,
  type VoprPlan,
} from "./fault-plan.ts";
import { SafetyChecker, VoprViolation } from "./safety-checker.ts";
import { VoprClients } from "./vopr-clients.ts";
import { VoprMember } from "./vopr-member.ts";
import { WitnessWatch } from "./witness-watch.ts";

/** How a green run went. */
export interface VoprReport {
  readonly seed: number;
  readonly acknowledged: number;
  readonly reads: number;
  /** Of these, answered from a lease. */
  readonly leaseReads: number;
  /** Reads that a follower answered. */
  readonly followerReads: number;
  readonly faults: number;
  /** How often each kind of fault happened. */
  readonly faultsByKind: Readonly<Partial<Record<FaultKind, number>>>;
  readonly terms: number;
  /** Entries that disks had lost and leaders gave back. */
  readonly repairedEntries: number;
  /** How long the healed quorum needed to serve, in election timeouts. */
  readonly liveAfterTimeouts: number;
  readonly isUndecided: boolean;
  readonly traceHash: string;
}

/** What may be left out of a seed's plan, to find out what a red run needs. */
export interface VoprOptions {
  /** Only these faults, by number; default all. */
  readonly faults?: ReadonlySet<number>;
  /** Kinds that are drawn at all; default all that the node supports. */
  readonly kinds?: readonly FaultKind[];
}

/** Short, so that much happens in little virtual time. */
const electionTicksMin = 12;
const tickMs = 25;
const electionTimeoutMs = electionTicksMin * tickMs * 2;
/** Election timeouts that a healed quorum may need for a leader and a commit. */
const liveTimeoutsMax = 10;

/** The plan of a seed. */
export function planOf(seed: number, kinds: readonly FaultKind[] = faultKinds): VoprPlan {
  return drawPlan(createSeededRandom(`vopr plan ${seed}`), seed, kinds);
}

/**
 * One seeded run of a group of real nodes with real log stores on simulated machines: faults while clients work, then
 * liveness: a quorum is healed, the rest stays broken for ever, and within ten election timeouts there must be a leader
 * and a commit. Throws `VoprViolation` at the first broken promise. Same seed and options, same run.
 */
export async function runVopr(seed: number, options: VoprOptions = {}): Promise<VoprReport> {
  return new VoprRun(seed, options).run();
}

class VoprRun {
  readonly #plan: VoprPlan;
  readonly #world: SimWorld;
  readonly #checker = new SafetyChecker();
  readonly #members: readonly VoprMember[];
  readonly #clients: VoprClients;
  readonly #injector: FaultInjector;
  readonly #witnesses = new WitnessWatch();
  /** Whoever supervises these starts them again. */
  #supervised: readonly VoprMember[] = [];
  #broken: ReadonlySet<VoprMember> = new Set();

  constructor(seed: number, options: VoprOptions) {
    const plan = planOf(seed, options.kinds);
    const faults = plan.faults.filter(({ number }) => options.faults?.has(number) ?? true);
    this.#plan = { ...plan, faults };
    const world = createSimWorld(`vopr ${seed}`);
    const network = createSimNetwork(world);
    network.setDefaultQuality({ delayMs: [plan.delayMs / 4, plan.delayMs], breakProbability: plan.breakProbability });
    const settings = {
      tickMs,
      electionTicksMin,
      retainedEntriesMin: plan.retainedEntries,
      compactionCheckMs: 300,
      segmentBytesMax: 4096,
      recentBytesMax: 2048,
      leaseDriftPercent: plan.hasLeases ? leaseDriftPercent : 0,
      forwardedReads: plan.forwardsReads ? 1 : 0,
    };
    const group = { world, network, checker: this.#checker, size: plan.size, settings };
    this.#world = world;
    this.#members = plan.clockRates.map((rate, place) => new VoprMember(group, place + 1, rate));
    const { keys, pauseMs, hasLeases, forwardsReads } = plan;
    const surroundings = { world, members: this.#members, checker: this.#checker };
    this.#clients = new VoprClients({ ...surroundings, keys, pauseMs, hasLeases, forwardsReads });
    this.#injector = new FaultInjector({ world, network, members: this.#members, witnesses: this.#witnesses });
  }

  async run(): Promise<VoprReport> {
    const { troubleMs, clients, faults, seed } = this.#plan;
    for (const member of this.#members) member.boot();
    for (let number = 1; number <= clients; number++) this.#clients.start(`c${number}`);
    this.#injector.schedule(faults);
    this.#world.scheduler.schedule(troubleMs / 3, "backup", () => {
      for (const member of this.#members) member.takeBackup();
      this.#witnesses.backedUp();
    });
    await this.#runUntil(() => false, troubleMs);
    const liveAfterTimeouts = await this.#liveness();
    this.#clients.end();
    await this.#converge();
    const verdict = this.#clients.check();
    if (verdict.kind === "notLinearizable") throw new VoprViolation(verdict.report);
    return {
      seed,
      acknowledged: this.#clients.acknowledged,
      reads: this.#clients.reads,
      leaseReads: this.#clients.leaseReads,
      followerReads: this.#clients.followerReads,
      faults: [...this.#injector.injected.values()].reduce((total, count) => total + count, 0),
      faultsByKind: Object.fromEntries(this.#injector.injected),
      terms: this.#checker.terms,
      repairedEntries: this.#checker.repairedEntries,
      liveAfterTimeouts,
      isUndecided: verdict.kind === "undecided",
      traceHash: this.#world.traceHash(),
    };
  }

  /** Looks at everybody every few ms besides what events tell; throws the first violation. */
  async #runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.#world.nowMs() + limitMs;
    while (this.#world.nowMs() < end && !isDone()) {
      await this.#world.runFor(Math.min(5, end - this.#world.nowMs()));
      this.#injector.replaceRefusing();
      this.#witnesses.look(this.#members, this.#world.nowMs());
      for (const member of this.#supervised) if (member.refusal === undefined) member.boot();
      for (const { node, process } of this.#members) {
        if (node !== undefined && process !== undefined) this.#checker.looked(process.name, node.status());
      }
      if (this.#checker.violation !== undefined) throw this.#checker.violation;
    }
    return isDone();
  }

  /** A minority stays broken; members that the group has to take back count as broken too, and are not broken more. */
  #brokenForEver(): ReadonlyMap<VoprMember, BrokenKind> {
    const broken = new Map<VoprMember, BrokenKind>();
    const { damaged, hasChurned } = this.#injector;
    const most = hasChurned ? 0 : Math.floor((this.#members.length - 1) / 2) - damaged.size;
    for (const { member: number, how } of this.#plan.broken) {
      const member = this.#members[number - 1];
      if (member !== undefined && !damaged.has(member) && broken.size < most) broken.set(member, how);
    }
    return broken;
  }

  async #liveness(): Promise<number> {
    const broken = this.#brokenForEver();
    this.#broken = new Set(broken.keys());
    // Others that are broken answer, or step down when they are asked to write: a leader with a hung disk notices by that.
    this.#clients.avoid(new Set([...this.#broken].filter((member) => broken.get(member) === "paused")));
    this.#injector.healAllBut(broken);
    const quorum = this.#members.filter((member) => !broken.has(member));
    const rate = Math.min(...this.#members.map(({ machine }) => machine.clockRate));
    this.#supervised = quorum;
    // What a fault did to a process may show only now.
    await this.#runUntil(() => false, 500);
    const isUp = (): boolean => quorum.every(({ node }) => node !== undefined);
    if (!(await this.#runUntil(isUp, 10_000))) throw new VoprViolation(`not everybody started: ${this.#describe()}`);
    const since = this.#world.nowMs();
    const before = this.#checker.highestIndex;
    const isServing = (): boolean => this.#checker.highestIndex > before;
    const limitMs = (liveTimeoutsMax * electionTimeoutMs) / rate;
    if (!(await this.#runUntil(isServing, limitMs))) {
      const how = [...broken].map(([{ name }, kind]) => `${name} ${kind}`).join(", ");
      throw new VoprViolation(
        `liveness: no commit within ${liveTimeoutsMax} election timeouts (broken for ever: ${how || "nobody"}): ${this.#describe()}`,
      );
    }
    return ((this.#world.nowMs() - since) * rate) / electionTimeoutMs;
  }

  /** Everybody in the quorum gets everything, and nobody lost anything. */
  async #converge(): Promise<void> {
    const working = this.#members.filter((member) => !this.#broken.has(member));
    const leading = (): RaftStatus | undefined =>
      working.map(({ node }) => node?.status()).find((status) => status?.isReadyLeader === true);
    const belonging = (): readonly VoprMember[] => {
      const status = leading();
      return working.filter(({ id }) => status?.voters.includes(id) === true || status?.learners.includes(id) === true);
    };
    const isAgreed = (): boolean => {
      const statuses = belonging().map(({ node }) => node?.status());
      return statuses[0] !== undefined && new Set(statuses.map((status) => status?.appliedIndex)).size === 1;
    };
    // Who was damaged is back, unless the membership was to change anyway.
    const isWhole = (): boolean =>
      this.#injector.hasChurned ||
      [...this.#injector.damaged].every((member) => leading()?.voters.includes(member.id) === true);
    await this.#runUntil(() => false, 2 * patienceMs);
    if (!(await this.#runUntil(() => isWhole() && isAgreed(), 30_000)))
      throw new VoprViolation(`the members do not agree: ${this.#describe()}`);
    for (const { id, state } of belonging()) this.#checker.finished(id, state.applied(), state.appliedIndex());
    if (this.#checker.violation !== undefined) throw this.#checker.violation;
  }

  #describe(): string {
    return this.#members
      .map(({ name, node, refusal }) => {
        const status = node?.status();
        if (status === undefined) return `${name} down${refusal === undefined ? "" : ` (${refusal})`}`;
        const { role, term, commitIndex, appliedIndex, lastIndex, leader } = status;
        return `${name} ${role} t${term} leader ${leader ?? "-"} applied ${appliedIndex} commit ${commitIndex} last ${lastIndex}`;
      })
      .join("; ");
  }
}

/** What is still under way when the clients stop ends within this. */
const patienceMs = 3000;
