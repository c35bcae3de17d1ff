import { assert } from "@holdfast/base";
import { isVoter } from "../../core/quorum.ts";
import { changeMembership } from "../../core/membership.ts";
import type { Membership } from "../../core/entries.ts";
import type { PeerId } from "../../core/types.ts";
import type { ClusterChecker } from "../checker.ts";
import type { TestCluster } from "../cluster.ts";
import { isQuorum } from "../commit-checker.ts";
import type { RandomOrders } from "./random-orders.ts";
import type { TestNode } from "../test-node.ts";

/** What the end of a run needs. */
export interface EndingParts {
  readonly cluster: TestCluster;
  readonly checker: ClusterChecker;
  readonly orders: RandomOrders;
  readonly hasMembershipChanges: boolean;
  /** Whether somebody may stay broken: not where a member has failed already. */
  readonly mayBreak: boolean;
  /** Whether disks may hang for ever, too. */
  readonly hasStalls: boolean;
}

/** Who stays broken for ever: dead, or with a disk that hangs while it goes on talking. */
interface Broken {
  readonly node: TestNode;
  readonly isHung: boolean;
}

/** Proposals that must be taken one after the other in the end, and their length: more than any limit holds at once. */
const lastProposals = 24;
const lastProposalBytes = 100;

/** Time in which a working quorum must serve, in attempts of `attemptTicks`. */
const attemptsMax = 60;
const attemptTicks = 10;

/** Ticks of the last struggle, at most. */
const struggleTicksMax = 100;

/**
 * How a run ends. Maybe with a last struggle in a network that loses half of everything. Then as many members as the group can do without stay broken for ever (dead, or with a disk that
 * hangs), maybe while leadership is to go to one of them: the others must serve. Then everybody works, and all must agree.
 */
export class Ending {
  readonly #parts: EndingParts;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  run(): void {
    const { cluster } = this.#parts;
    if (this.#below(2) === 0) this.#struggle();
    this.#learnWhatIsKnown();
    if (this.#parts.mayBreak && this.#below(2) === 0) this.#serveWithout(this.#drawBroken());
    cluster.isOpen = () => true;
    for (const node of cluster.nodes.values()) {
      node.isDiskStalled = false;
      if (node.core === undefined) node.start();
    }
    for (const node of cluster.running()) cluster.collect(node);
    cluster.settle();
    this.#serve("all members", (leader) => this.#isAgreed(leader));
    this.#proposeMuch();
    // Whatever is still open runs into its time limit.
    cluster.tick(30);
  }

  #below(count: number): number {
    return Math.floor(this.#parts.cluster.random() * count);
  }

  /** Orders go on while half of all messages are lost, and maybe the leader and somebody else are cut off. */
  #struggle(): void {
    const { cluster, orders, hasMembershipChanges } = this.#parts;
    for (const node of cluster.nodes.values()) {
      node.isDiskStalled = false;
      if (node.core === undefined) node.start();
      cluster.collect(node);
    }
    const alone = this.#below(3) > 0 ? cluster.leader()?.id : undefined;
    cluster.isOpen = ({ from, to }) => from !== alone && to !== alone && this.#below(2) === 0;
    for (let ticks = 1 + this.#below(struggleTicksMax); ticks > 0; ticks--) {
      if (this.#below(4) === 0) orders.propose();
      if (hasMembershipChanges && this.#below(6) === 0) orders.changeMembership();
      for (const node of cluster.running()) if (this.#below(4) > 0) cluster.step(node.id, { kind: "tick" });
      cluster.settle();
    }
  }

  /** Without a word between them, everybody finishes what it has begun. */
  #learnWhatIsKnown(): void {
    const { cluster } = this.#parts;
    cluster.isOpen = () => false;
    for (const node of cluster.nodes.values()) {
      node.isDiskStalled = false;
      if (node.core === undefined) node.start();
    }
    for (const node of cluster.running()) cluster.collect(node);
    cluster.settle();
  }

  /** Members in a random order, as long as the others are a quorum of every configuration that may be in force. */
  #drawBroken(): readonly Broken[] {
    const { cluster, hasStalls } = this.#parts;
    const others = cluster.running();
    const candidates = [...others];
    const broken: Broken[] = [];
    while (candidates.length > 0) {
      const [node] = candidates.splice(this.#below(candidates.length), 1);
      if (node === undefined) break;
      const isHung = hasStalls && this.#below(2) === 0;
      const rest = others.filter((other) => other !== node);
      const hung = [...broken, { node, isHung }].filter((one) => one.isHung).map((one) => one.node);
      if (!canServe(rest, hung)) continue;
      others.splice(others.indexOf(node), 1);
      broken.push({ node, isHung });
    }
    return broken;
  }

  #serveWithout(broken: readonly Broken[]): void {
    const { cluster, checker } = this.#parts;
    const nodes = broken.map(({ node }) => node);
    const leader = cluster.leader();
    const target = nodes[0];
    if (leader !== undefined && target !== undefined && !nodes.includes(leader) && this.#below(2) === 0) {
      checker.handoverOrdered(leader);
      cluster.step(leader.id, { kind: "transfer", ref: this.#newRef(leader), to: target.id });
    }
    for (const { node, isHung } of broken) {
      node.isDiskStalled = isHung;
      if (isHung) continue;
      node.crash();
      checker.crashed(node);
    }
    cluster.isOpen = () => true;
    for (const node of cluster.running()) cluster.collect(node);
    cluster.settle();
    this.#serve(`all but ${nodes.map(({ id }) => id).join(" ") || "nobody"}`, (found) => !nodes.includes(found));
  }

  #newRef(node: TestNode): number {
    const ref = this.#parts.cluster.newRef();
    this.#parts.checker.asked(ref, node.id);
    return ref;
  }

  /** Within a bounded time there is a leader that commits a new proposal. */
  #serve(who: string, isEnough: (leader: TestNode) => boolean): void {
    const { cluster } = this.#parts;
    for (let attempts = 0; attempts < attemptsMax; attempts++) {
      cluster.tick(attemptTicks);
      const leader = cluster.leader();
      if (leader === undefined || !leader.view().isReadyLeader) continue;
      const isCommitted = this.#propose(leader, 0);
      cluster.tick(attemptTicks);
      if (isCommitted && isEnough(leader)) return;
    }
    assert(false, `a healed group serves within its time: ${who}`);
  }

  #propose(leader: TestNode, length: number): boolean {
    const { cluster, checker } = this.#parts;
    const ref = this.#newRef(leader);
    const text = `end${ref}`.padEnd(length, ".");
    checker.proposed(ref, text);
    cluster.propose(leader.id, text, ref);
    cluster.settle();
    return leader.replies.some((reply) => reply.ref === ref && reply.kind === "committed");
  }

  /** A group at rest takes proposal after proposal: whatever limits it frees again. */
  #proposeMuch(): void {
    const { cluster } = this.#parts;
    const leader = cluster.leader();
    assert(leader !== undefined, "a group at rest keeps its leader");
    for (let number = 0; number < lastProposals; number++) {
      const isCommitted = this.#propose(leader, lastProposalBytes);
      assert(isCommitted, "a group at rest takes one proposal after the other");
    }
    cluster.tick(attemptTicks);
    assert(this.#isAgreed(leader), "a group at rest agrees");
  }

  #isAgreed(leader: TestNode): boolean {
    const view = leader.core?.view();
    if (view?.role !== "leader" || view.appliedIndex !== view.lastIndex) return false;
    return view.peers.every(({ id }) => this.#parts.cluster.node(id).appliedIndex === view.appliedIndex);
  }
}

/**
 * Whether these members are a quorum of the newest membership that one of them knows to be committed, of the newest that
 * a voter among them knows (a learner neither campaigns nor is asked: what only it knows helps nobody), and of every one
 * that changes in their logs, and in those of members whose disk hangs, might make of either.
 */
function canServe(nodes: readonly TestNode[], hung: readonly TestNode[]): boolean {
  const views = nodes.map((node) => node.view()).sort((left, right) => right.commitIndex - left.commitIndex);
  const newest = views[0];
  const known = views.find(({ id, membership }) => isVoter(membership, id));
  if (newest === undefined || known === undefined) return false;
  const ids: readonly PeerId[] = nodes.map(({ id }) => id);
  const isEnough = (membership: Membership): boolean => isQuorum(membership, (id) => ids.includes(id));
  return [newest, known].every((from) => {
    if (!isEnough(from.membership)) return false;
    return [...nodes, ...hung].every(({ disk }) => {
      let { membership } = from;
      for (const { index, payload } of disk.entries) {
        if (index <= from.commitIndex || payload.kind !== "configuration") continue;
        const changed = changeMembership(membership, payload.change);
        if (changed.ok) membership = changed.value.membership;
        if (!isEnough(membership)) return false;
      }
      return true;
    });
  });
}
