import type { Message } from "../../core/messages.ts";
import type { Entry } from "../../core/entries.ts";
import type { LogIndex } from "../../core/types.ts";
import type { ClusterChecker } from "../checker.ts";
import type { TestCluster } from "../cluster.ts";
import type { TestNode } from "../test-node.ts";

/** Crashes, cuts, pauses and hanging disks of a random run. */
export class RandomFaults {
  readonly #cluster: TestCluster;
  readonly #checker: ClusterChecker;
  readonly #cut = new Set<string>();
  readonly #slow = new Set<string>();
  #toCut: { readonly links: readonly string[]; rounds: number } | undefined;
  readonly #paused = new Set<TestNode>();
  #rotten: TestNode | undefined;

  constructor(cluster: TestCluster, checker: ClusterChecker) {
    this.#cluster = cluster;
    this.#checker = checker;
    cluster.isOpen = (message) => !this.#cut.has(`${message.from}-${message.to}`);
  }

  #below(count: number): number {
    return Math.floor(this.#cluster.random() * count);
  }

  /** Mostly whoever leads: that is where it hurts. */
  #victim(): TestNode | undefined {
    const running = this.#cluster.running();
    const anyNode = running[this.#below(running.length)];
    return this.#below(2) === 0 ? (this.#cluster.leader() ?? anyNode) : anyNode;
  }

  /** Whether it does nothing, and hears nothing. */
  isPaused(node: TestNode): boolean {
    return this.#paused.has(node);
  }

  /** Whether the way of this message is slow. */
  isSlow(message: Message): boolean {
    return this.#slow.has(`${message.from}-${message.to}`);
  }

  /** Everybody that was paused goes on. */
  wakeAll(): void {
    this.#paused.clear();
  }

  heal(): void {
    this.#cut.clear();
    this.#slow.clear();
    this.#toCut = undefined;
  }

  /** What a member says, or what it is told, takes long; maybe soon nothing gets through in the other direction. */
  slowDown(): void {
    const victim = this.#victim();
    if (victim === undefined) return;
    const isIncoming = this.#below(3) > 0;
    const others = [...this.#cluster.nodes.keys()];
    const incoming = others.map((id) => `${id}-${victim.id}`);
    const outgoing = others.map((id) => `${victim.id}-${id}`);
    for (const link of isIncoming ? incoming : outgoing) this.#slow.add(link);
    if (this.#below(3) > 0) this.#toCut = { links: isIncoming ? outgoing : incoming, rounds: this.#below(40) };
  }

  /** A round passes. */
  pass(): void {
    if (this.#toCut === undefined || --this.#toCut.rounds > 0) return;
    for (const link of this.#toCut.links) this.#cut.add(link);
    this.#toCut = undefined;
  }

  cutLink(): void {
    const count = this.#cluster.nodes.size;
    this.#cut.add(`${1 + this.#below(count)}-${1 + this.#below(count)}`);
  }

  /** One member, maybe with one friend, hears nobody else, or is heard by nobody else, or both. */
  isolate(): void {
    const alone = this.#victim();
    if (alone !== undefined) this.#isolate(alone);
  }

  #isolate(alone: TestNode): void {
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

  /** A leader that has appended what it has not committed, or hands over, goes down, or is cut off and goes on. */
  usurp(): void {
    const leaders = this.#cluster.running().filter((node) => {
      const view = node.view();
      return view.role === "leader" && (view.lastIndex > view.commitIndex || view.transferee !== undefined);
    });
    const victim = leaders[this.#below(leaders.length)];
    if (victim === undefined) return;
    if (this.#below(3) === 0) this.#crash(victim);
    else this.#isolate(victim);
  }

  crash(): void {
    const victim = this.#victim();
    if (victim !== undefined) this.#crash(victim);
  }

  crashAll(): void {
    for (const node of this.#cluster.running()) this.#crash(node);
  }

  #crash(node: TestNode): void {
    // A group in which too many are down does nothing that could go wrong.
    const isLast = this.#cluster.running().length * 2 <= this.#cluster.nodes.size;
    if (isLast && this.#below(4) > 0) return;
    if (this.#below(3) === 0) node.tear();
    this.#stop(node);
  }

  #stop(node: TestNode): void {
    node.crash();
    node.isDiskStalled = false;
    this.#paused.delete(node);
    this.#checker.crashed(node);
  }

  /**
   * One member, the same in the whole run, crashes, and some of what is on its disk cannot be read any more. A group of
   * less than three bears no such loss, nor does one that is about to change.
   */
  rot(): void {
    const membership = this.#cluster.leader()?.view().membership;
    const isLarge = membership !== undefined && membership.voters.length > 2 && membership.votersOutgoing.length === 0;
    const isBearable = isLarge && !this.#isChanging();
    const node = this.#rotten ?? this.#victim();
    if (!isBearable || node === undefined) return;
    this.#rotten = node;
    if (node.core !== undefined) this.#stop(node);
    const { entries } = node.disk;
    for (let count = 1 + this.#below(3); count > 0 && entries.length > 0; count--) {
      // The end is where logs differ.
      const fromEnd = this.#below(this.#below(2) === 0 ? entries.length : Math.min(entries.length, 6));
      const first = entries.length - 1 - fromEnd;
      const last = Math.min(entries.length - 1, first + this.#below(4));
      node.rot(entries[first]?.index ?? (0 as LogIndex), entries[last]?.index ?? (0 as LogIndex));
    }
  }

  /** Whether some log has a membership change that is not applied by whoever leads. */
  #isChanging(): boolean {
    const applied = this.#cluster.leader()?.appliedIndex ?? 0;
    const isOpen = ({ index, payload }: Entry): boolean => index > applied && payload.kind === "configuration";
    return [...this.#cluster.nodes.values()].some(
      ({ disk, pendingPersists }) =>
        disk.entries.some(isOpen) || pendingPersists.some(({ order }) => order.append.some(isOpen)),
    );
  }

  /** Whether a disk rotted: then its member counts as one that failed. */
  get hasRotted(): boolean {
    return this.#rotten !== undefined;
  }

  restart(): void {
    const down = [...this.#cluster.nodes.values()].filter((node) => node.core === undefined);
    down[this.#below(down.length)]?.start();
  }

  pause(): void {
    const victim = this.#victim();
    if (victim !== undefined) this.#paused.add(victim);
  }

  stall(): void {
    const victim = this.#victim();
    if (victim !== undefined) victim.isDiskStalled = true;
  }

  /** Somebody goes on. */
  wake(): void {
    const stuck = this.#cluster.running().filter((node) => node.isDiskStalled || this.#paused.has(node));
    const node = stuck[this.#below(stuck.length)];
    if (node === undefined) return;
    node.isDiskStalled = false;
    this.#paused.delete(node);
  }
}
