import type { ConfigurationChange, MemberAction, MemberStep } from "../../core/entries.ts";
import type { LogIndex, PeerId } from "../../core/types.ts";
import type { ClusterChecker } from "../checker.ts";
import type { TestCluster } from "../cluster.ts";
import type { TestNode } from "../test-node.ts";
import type { RandomFaults } from "./random-faults.ts";
import type { World } from "./world.ts";

/** What clients and operators of a random run ask for. */
export class RandomOrders {
  readonly #cluster: TestCluster;
  readonly #checker: ClusterChecker;
  readonly #world: World;
  readonly #faults: RandomFaults;

  constructor(parts: {
    readonly cluster: TestCluster;
    readonly checker: ClusterChecker;
    readonly world: World;
    readonly faults: RandomFaults;
  }) {
    this.#cluster = parts.cluster;
    this.#faults = parts.faults;
    this.#checker = parts.checker;
    this.#world = parts.world;
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count);
  }

  /** Who does anything at all. */
  #awake(): readonly TestNode[] {
    return this.#cluster.running().filter((node) => !this.#faults.isPaused(node));
  }

  #anyNode(): TestNode | undefined {
    const awake = this.#awake();
    return awake[this.#below(awake.length)];
  }

  /** Those that take themselves for leaders, the newest first. */
  #leaders(): readonly TestNode[] {
    const leaders = this.#awake().filter((node) => node.view().role === "leader");
    return leaders.sort((left, right) => right.view().term - left.view().term);
  }

  /** Mostly the newest leader, sometimes one that does not know yet that it is none any more. */
  #anyLeader(): TestNode | undefined {
    const leaders = this.#leaders();
    return this.#below(3) > 0 ? leaders[0] : leaders[this.#below(leaders.length)];
  }

  #newRef(node: TestNode): number {
    const ref = this.#cluster.newRef();
    this.#checker.asked(ref, node.id);
    return ref;
  }

  propose(): void {
    const node = this.#anyLeader() ?? this.#anyNode();
    if (node === undefined) return;
    const ref = this.#newRef(node);
    const text = `p${ref}`.padEnd(1 + this.#below(this.#world.textMax), ".");
    this.#checker.proposed(ref, text);
    this.#cluster.propose(node.id, text, ref);
  }

  read(): void {
    const node = this.#below(4) > 0 ? this.#anyLeader() : this.#anyNode();
    if (node !== undefined) this.readAt(node);
  }

  /** A leader that does not know yet that there is a newer one. */
  staleLeader(): TestNode | undefined {
    return this.#leaders()[1];
  }

  readAt(node: TestNode): void {
    const ref = this.#newRef(node);
    this.#checker.readBegan(ref);
    const mode = this.#world.hasLeases && this.#below(5) > 0 ? "lease" : "round";
    this.#cluster.step(node.id, { kind: "read", ref, mode });
  }

  transfer(): void {
    const leader = this.#anyLeader();
    const target = this.#anyNode();
    if (leader === undefined || target === undefined) return;
    this.#checker.handoverOrdered(leader);
    this.#cluster.step(leader.id, { kind: "transfer", ref: this.#newRef(leader), to: target.id });
  }

  compact(): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    node.flush();
    const throughIndex = Math.max(0, node.flushedIndex - this.#below(3)) as LogIndex;
    this.#cluster.step(node.id, { kind: "compact", throughIndex });
  }

  reportUnreachable(): void {
    const leader = this.#anyLeader();
    const peer = this.#anyNode();
    if (leader !== undefined && peer !== undefined)
      this.#cluster.step(leader.id, { kind: "unreachable", peer: peer.id });
  }

  changeMembership(): void {
    const leader = this.#anyLeader();
    // A group that comes to depend on a member with a damaged disk has lost more than it bears.
    const isWhole = [...this.#cluster.nodes.values()].every(({ disk }) => disk.lost.length === 0);
    if (leader === undefined || !isWhole) return;
    const steps = Array.from({ length: 1 + this.#below(this.#world.changeStepsMax) }, () => this.#drawStep(leader));
    // Without steps: leave the joint configuration.
    if (leader.view().membership.votersOutgoing.length > 0) steps.length = 0;
    const transition = (["auto", "implicit", "explicit"] as const)[this.#below(3)] ?? "auto";
    const change: ConfigurationChange = {
      version: 2,
      transition: steps.length === 0 ? "auto" : transition,
      steps,
      context: new Uint8Array(),
    };
    this.#cluster.step(leader.id, { kind: "changeConfiguration", ref: this.#newRef(leader), change });
  }

  /** Mostly one that fits. */
  #drawStep(leader: TestNode): MemberStep {
    const peer = (1 + this.#below(this.#cluster.nodes.size)) as PeerId;
    const { voters, learners } = leader.view().membership;
    const isToGo = this.#cluster.random() < this.#world.removal;
    const fitting: readonly MemberAction[] = voters.includes(peer)
      ? isToGo
        ? ["remove", "addLearner"]
        : ["update"]
      : learners.includes(peer)
        ? ["addVoter", "addVoter", "remove"]
        : ["addVoter", "addLearner"];
    return { action: fitting[this.#below(fitting.length)] ?? "addVoter", peer };
  }
}
