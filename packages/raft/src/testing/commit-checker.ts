import { assert } from "@holdfast/base";
import type { Membership } from "../core/entries.ts";
import type { PersistOrder } from "../core/output.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { PeerId } from "../core/types.ts";
import type { TestNode } from "./test-node.ts";

interface Committed {
  readonly term: number;
  /** Term of the leader that committed it. */
  readonly byTerm: number;
}

/**
 * What is committed, told by watching commit indexes and disks: only a leader commits anew, only through an entry of its
 * own term (§3.6.2) that a majority of the disks holds; nobody ever commits anything else there; every later leader has
 * it (leader completeness); and no log holds two membership changes that are not committed (§4.1). Throws `AssertionError`.
 */
export class CommitChecker {
  readonly #nodes: ReadonlyMap<PeerId, TestNode>;
  readonly #committed = new Map<number, Committed>();
  readonly #seen = new Map<PeerId, { readonly life: number; readonly commit: number; readonly leaderTerm: number }>();
  /** Highest committed index. */
  highestIndex = 0;

  constructor(nodes: ReadonlyMap<PeerId, TestNode>) {
    this.#nodes = nodes;
  }

  /** Compares with what this member knew before. */
  check(node: TestNode, view: RaftView): void {
    const known = this.#seen.get(node.id);
    const before = known?.life === node.lives ? known : { commit: 0, leaderTerm: 0 };
    const leaderTerm = view.role === "leader" ? view.term : 0;
    if (leaderTerm !== 0 && leaderTerm !== before.leaderTerm) this.#checkComplete(node, view);
    if (view.commitIndex > before.commit) {
      const isLeading = leaderTerm !== 0 && leaderTerm === before.leaderTerm;
      this.#checkCommitted(node, view, { from: before.commit + 1, isLeading });
    }
    this.#seen.set(node.id, { life: node.lives, commit: view.commitIndex, leaderTerm });
  }

  #checkCommitted(node: TestNode, view: RaftView, about: { readonly from: number; readonly isLeading: boolean }): void {
    const { commitIndex } = view;
    for (let index = Math.max(about.from, view.firstIndex); index <= commitIndex; index++) {
      const term = termAt(node, index);
      // Its own copy is lost: it asks the others for it, and knows no term until then.
      if (term === 0) continue;
      const committed = this.#committed.get(index);
      if (committed === undefined) {
        assert(about.isLeading, `only leaders commit anew: peer ${node.id} at ${index}`);
        this.#committed.set(index, { term, byTerm: view.term });
      } else {
        assert(committed.term === term, `what is committed stays: peer ${node.id} commits another entry at ${index}`);
      }
    }
    if (commitIndex <= this.highestIndex) return;
    this.highestIndex = commitIndex;
    const term = termAt(node, commitIndex);
    if (term === 0 && view.role !== "leader") return;
    assert(term === view.term, `a leader commits through its own term: peer ${node.id} at ${commitIndex}`);
    const isHeld = (id: PeerId): boolean => holds(this.#nodes.get(id), commitIndex, term);
    assert(
      isQuorum(view.membership, isHeld),
      `a majority of disks holds what peer ${node.id} commits at ${commitIndex}`,
    );
  }

  /** Entries that leaders of earlier terms committed are in a new leader's log. */
  #checkComplete(node: TestNode, view: RaftView): void {
    for (let index = Math.max(1, view.firstIndex); index <= this.highestIndex; index++) {
      const committed = this.#committed.get(index);
      if (committed === undefined || committed.byTerm >= view.term) continue;
      if (termAt(node, index) === 0 && index <= view.lastIndex) continue;
      assert(termAt(node, index) === committed.term, `leader completeness: leader ${node.id} lacks ${index}`);
    }
  }

  /** A leader appends: at most one membership change of its log is not committed. */
  checkWrite(node: TestNode, order: PersistOrder): void {
    const isChange = (entry: PersistOrder["append"][number]): boolean =>
      entry.payload.kind === "configuration" && entry.index > this.highestIndex;
    if (!order.append.some(isChange)) return;
    const open = new Set<number>();
    const orders = [node.disk.entries, ...node.pendingPersists.map((pending) => pending.order.append), order.append];
    for (const entries of orders) {
      const first = entries[0]?.index;
      if (first !== undefined) for (const index of [...open]) if (index >= first) open.delete(index);
      for (const entry of entries) if (isChange(entry)) open.add(entry.index);
    }
    assert(open.size <= 1, `one membership change at a time: peer ${node.id} has ${open.size} open`);
  }
}

/** Whether both halves of the configuration have a majority of those that hold. */
export function isQuorum(membership: Membership, holdsIt: (id: PeerId) => boolean): boolean {
  const isMajority = (ids: readonly PeerId[]): boolean => ids.filter(holdsIt).length * 2 > ids.length;
  const { voters, votersOutgoing } = membership;
  return isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing));
}

function termAt(node: TestNode, index: number): number {
  return node.core?.termAt(index as never) ?? 0;
}

/** Whether the disk has this entry, or a snapshot in its place. */
function holds(node: TestNode | undefined, index: number, term: number): boolean {
  if (node === undefined) return false;
  const { logStart, entries } = node.disk;
  if (logStart.index >= index) return true;
  return entries[index - (entries[0]?.index ?? 0)]?.term === term;
}
