import { assert } from "@holdfast/base";
import type { Message } from "../core/messages.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { PeerId } from "../core/types.ts";
import { isQuorum } from "./commit-checker.ts";
import type { TestNode } from "./test-node.ts";

/** A member that leads, by its own clock. */
interface Reign {
  readonly life: number;
  readonly term: number;
  /** Since then nothing excuses silence: it began to lead, its membership changed, or a hand-over was ordered. */
  sinceTick: number;
  membership: string;
  transferee: PeerId | undefined;
  transferSinceTick: number;
  readonly heardTick: Map<PeerId, number>;
}

/**
 * Leaders go when they should, by their own clock: without a sign of life of a majority for two election timeouts
 * (§6.2), when their disk hangs, and a hand-over ends within an election timeout (§3.10). Throws `AssertionError`.
 */
export class LeadershipChecker {
  readonly #nodes: ReadonlyMap<PeerId, TestNode>;
  readonly #reigns = new Map<PeerId, Reign>();

  constructor(nodes: ReadonlyMap<PeerId, TestNode>) {
    this.#nodes = nodes;
  }

  /** A follower's sign of life reached its leader. */
  arrived(message: Message): void {
    if (message.kind !== "heartbeatResponse" && message.kind !== "appendResponse") return;
    const node = this.#nodes.get(message.to);
    const reign = this.#reigns.get(message.to);
    if (node !== undefined && reign?.term === message.term) reign.heardTick.set(message.from, node.ticks);
  }

  /** Someone ordered a hand-over here: the leader gets a whole election timeout for it. */
  ordered(node: TestNode): void {
    const reign = this.#reigns.get(node.id);
    if (reign !== undefined) reign.sinceTick = node.ticks;
  }

  /** A member was stepped. */
  check(node: TestNode, view: RaftView): void {
    if (view.role !== "leader") {
      this.#reigns.delete(node.id);
      return;
    }
    const membership = JSON.stringify(view.membership);
    let reign = this.#reigns.get(node.id);
    if (reign === undefined || reign.life !== node.lives || reign.term !== view.term) {
      const begin = { sinceTick: node.ticks, transferSinceTick: node.ticks, heardTick: new Map() };
      reign = { life: node.lives, term: view.term, membership, transferee: view.transferee, ...begin };
      this.#reigns.set(node.id, reign);
    }
    if (reign.membership !== membership) {
      reign.membership = membership;
      reign.sinceTick = node.ticks;
    }
    if (reign.transferee !== view.transferee) {
      reign.transferee = view.transferee;
      reign.transferSinceTick = node.ticks;
    }
  }

  /** A member's clock ticked. */
  ticked(node: TestNode, view: RaftView): void {
    const reign = this.#reigns.get(node.id);
    if (reign === undefined || view.role !== "leader") return;
    const { electionTicks, persistStallTicks } = node.config;
    const oldest = node.pendingPersists[0];
    const isStalled =
      persistStallTicks > 0 && oldest !== undefined && node.ticks - oldest.sinceTick >= persistStallTicks;
    assert(!isStalled, `a leader whose disk hangs steps down: peer ${node.id}`);
    const isHandingOver = reign.transferee !== undefined && node.ticks - reign.transferSinceTick > electionTicks + 1;
    assert(!isHandingOver, `a hand-over ends: peer ${node.id} to ${String(reign.transferee)}`);
    const patienceTicks = 2 * electionTicks + 1;
    if (node.ticks - reign.sinceTick <= patienceTicks) return;
    const isAlive = (id: PeerId): boolean =>
      id === node.id || node.ticks - (reign.heardTick.get(id) ?? Number.NEGATIVE_INFINITY) <= patienceTicks;
    assert(isQuorum(view.membership, isAlive), `a leader without a majority steps down: peer ${node.id}`);
  }
}
