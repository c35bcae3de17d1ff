import { assert } from "@holdfast/base";
import type { Entry } from "../core/entries.ts";
import { checkInvariants } from "../core/invariants.ts";
import type { PeerId } from "../core/types.ts";
import type { Message } from "../core/messages.ts";
import type { PersistOrder } from "../core/output.ts";
import type { ClusterWatch, TestCluster } from "./cluster.ts";
import { CommitChecker } from "./commit-checker.ts";
import { LeadershipChecker } from "./leadership-checker.ts";
import { PromiseChecker } from "./promise-checker.ts";
import type { TestNode } from "./test-node.ts";

/**
 * What must hold between the members of a cluster (dissertation figure 3.2), checked after every step of every member.
 * Independent of how the core works: it sees applied entries, disks, views, messages and replies. Throws `AssertionError`.
 */
export class ClusterChecker implements ClusterWatch {
  readonly #commits: CommitChecker;
  readonly #promises: PromiseChecker;
  readonly #leadership: LeadershipChecker;
  readonly #leaders = new Map<number, PeerId>();
  /** What any member has ever applied at an index. */
  readonly #chosen = new Map<number, Entry>();
  readonly #checkedApplied = new Map<PeerId, number>();
  readonly #answered = new Set<number>();
  readonly #checkedReplies = new Map<PeerId, number>();
  readonly #proposals = new Map<number, string>();
  readonly #superseded = new Set<string>();
  readonly #committed = new Map<number, string>();
  /** References without an answer, and who owes it. */
  readonly #open = new Map<number, PeerId>();
  readonly #readFloors = new Map<number, number>();
  /** Highest index that anybody was told to be committed, or that was applied. */
  #knownIndex = 0;
  /** Reads that were answered. */
  reads = 0;

  constructor(cluster: TestCluster) {
    this.#commits = new CommitChecker(cluster.nodes);
    this.#promises = new PromiseChecker(cluster.nodes);
    this.#leadership = new LeadershipChecker(cluster.nodes);
    cluster.watch = this;
  }

  /** A reference was given to this member; it owes one answer unless it crashes. */
  asked(ref: number, at: PeerId): void {
    this.#open.set(ref, at);
  }

  /** A proposal with this text was made under this reference; texts are unique. */
  proposed(ref: number, text: string): void {
    this.#proposals.set(ref, text);
  }

  /** A read begins now: it must see everything known to be committed by now. */
  readBegan(ref: number): void {
    this.#readFloors.set(ref, this.#knownIndex);
  }

  /** This member forgot what it owed, and what its state machine had not flushed. */
  crashed(node: TestNode): void {
    for (const [ref, at] of [...this.#open]) if (at === node.id) this.#open.delete(ref);
    const applied = this.#checkedApplied.get(node.id) ?? 0;
    this.#checkedApplied.set(node.id, Math.min(applied, node.applied.length));
  }

  /** Leases do not overlap: a leader that has a successor serves nothing from its lease. Leaves no trace in it. */
  checkLeaseOver(stale: TestNode): void {
    const fork = stale.core?.fork();
    if (fork === undefined) return;
    const ref = Number.MAX_SAFE_INTEGER;
    fork.step({ kind: "read", ref, mode: "lease" });
    const isServed = fork.drain().replies.some((reply) => reply.ref === ref && reply.kind === "readable");
    assert(!isServed, `leases do not overlap: peer ${stale.id} has a successor and serves a read`);
  }

  /** Someone ordered a hand-over of this member. */
  handoverOrdered(node: TestNode): void {
    this.#leadership.ordered(node);
  }

  stepped(node: TestNode): void {
    this.#checkApplied(node);
    this.#checkReplies(node);
    if (node.core === undefined) return;
    const view = node.core.view();
    checkInvariants(view);
    if (view.role === "leader") {
      const leader = this.#leaders.get(view.term) ?? node.id;
      assert(leader === node.id, `election safety: one leader in term ${view.term}`);
      this.#leaders.set(view.term, leader);
    }
    this.#commits.check(node, view);
    this.#promises.check(node, view);
    this.#leadership.check(node, view);
  }

  left(message: Message): void {
    this.#promises.left(message);
  }

  arrived(message: Message): void {
    this.#leadership.arrived(message);
  }

  ticked(node: TestNode): void {
    if (node.core !== undefined) this.#leadership.ticked(node, node.core.view());
  }

  writing(node: TestNode, order: PersistOrder): void {
    this.#commits.checkWrite(node, order);
  }

  /** State machine safety: nobody applies anything else at an index, and nobody skips one. */
  #checkApplied(node: TestNode): void {
    const checked = Math.min(this.#checkedApplied.get(node.id) ?? 0, node.applied.length);
    let before = node.applied[checked - 1]?.index ?? 0;
    for (const entry of node.applied.slice(checked)) {
      assert(entry.index === before + 1, `peer ${node.id} applies ${entry.index} after ${before}`);
      before = entry.index;
      const chosen = this.#chosen.get(entry.index) ?? entry;
      assert(isSame(chosen, entry), `state machine safety: peer ${node.id} at index ${entry.index}`);
      this.#chosen.set(entry.index, chosen);
      this.#knownIndex = Math.max(this.#knownIndex, entry.index);
      assert(!this.#superseded.has(textOf(entry)), `a superseded proposal is applied at ${entry.index}`);
    }
    this.#checkedApplied.set(node.id, node.applied.length);
  }

  #checkReplies(node: TestNode): void {
    for (const reply of node.replies.slice(this.#checkedReplies.get(node.id) ?? 0)) {
      assert(!this.#answered.has(reply.ref), `reference ${reply.ref} is answered once`);
      this.#answered.add(reply.ref);
      this.#open.delete(reply.ref);
      const text = this.#proposals.get(reply.ref);
      if (reply.kind === "committed" && text !== undefined) {
        this.#committed.set(reply.id.index, text);
        this.#knownIndex = Math.max(this.#knownIndex, reply.id.index);
      }
      const isRefused = reply.kind === "superseded" || reply.kind === "notLeader" || reply.kind === "overloaded";
      if (isRefused && text !== undefined) this.#superseded.add(text);
      if (reply.kind === "readable") {
        this.reads++;
        assert(reply.index >= (this.#readFloors.get(reply.ref) ?? 0), "a read sees what was committed before it began");
      }
    }
    this.#checkedReplies.set(node.id, node.replies.length);
  }

  /** Log matching: logs that agree in one entry agree in all before it. Slower; for now and then. */
  checkLogs(cluster: TestCluster): void {
    const nodes = [...cluster.nodes.values()];
    for (const left of nodes) for (const right of nodes) if (left.id < right.id) checkPair(left, right);
  }

  /** At the end: what was acknowledged is there, refused proposals never were applied, and every question has its answer. */
  checkEnd(): void {
    for (const [index, text] of this.#committed) {
      const chosen = this.#chosen.get(index);
      assert(chosen !== undefined && textOf(chosen) === text, `what was acknowledged at ${index} is kept`);
    }
    for (const entry of this.#chosen.values()) {
      assert(!this.#superseded.has(textOf(entry)), `a refused proposal was applied at ${entry.index}`);
    }
    assert(this.#open.size === 0, `every reference is answered: ${[...this.#open.keys()].join(" ")}`);
  }

  /** Highest index that is known to be committed. */
  get knownIndex(): number {
    return this.#knownIndex;
  }
}

function checkPair(left: TestNode, right: TestNode): void {
  const byIndex = new Map(right.disk.entries.map((entry) => [entry.index, entry]));
  let mustAgree = false;
  for (const entry of [...left.disk.entries].reverse()) {
    const other = byIndex.get(entry.index);
    if (other === undefined) continue;
    if (entry.term === other.term) mustAgree = true;
    if (mustAgree) assert(isSame(entry, other), `log matching: peers ${left.id} and ${right.id} at ${entry.index}`);
  }
}

function isSame(left: Entry, right: Entry): boolean {
  return left.term === right.term && left.payload.kind === right.payload.kind && textOf(left) === textOf(right);
}

function textOf(entry: Entry): string {
  return entry.payload.kind === "application" ? String.fromCharCode(...entry.payload.data) : "";
}
