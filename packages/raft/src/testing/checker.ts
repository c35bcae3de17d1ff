import { assert } from "@holdfast/base";
import type { Entry } from "../core/entries.ts";
import { checkInvariants } from "../core/invariants.ts";
import type { PeerId } from "../core/types.ts";
import type { TestCluster } from "./cluster.ts";
import type { TestNode } from "./test-node.ts";

/**
 * What must hold between the members of a cluster (dissertation figure 3.2), checked after every action of a test.
 * Independent of how the core works: it sees applied entries, disks, views and replies. Throws `AssertionError`.
 */
export class ClusterChecker {
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

  /** This member forgot what it owed. */
  crashed(id: PeerId): void {
    for (const [ref, at] of [...this.#open]) if (at === id) this.#open.delete(ref);
  }

  /** Checks everything. */
  check(cluster: TestCluster): void {
    for (const node of cluster.nodes.values()) {
      this.#checkApplied(node);
      this.#checkReplies(node);
      if (node.core === undefined) continue;
      const view = node.view();
      checkInvariants(view);
      if (view.role !== "leader") continue;
      const leader = this.#leaders.get(view.term) ?? node.id;
      assert(leader === node.id, `election safety: one leader in term ${view.term}`);
      this.#leaders.set(view.term, leader);
    }
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
