import { assert } from "@holdfast/base";
import type { Message } from "../core/messages.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { PeerId } from "../core/types.ts";
import type { TestNode } from "./test-node.ts";

/**
 * What a member says is true: votes, acknowledgements and a leader's term are on its disk when they leave (§3.8), a term
 * gets one vote (§3.4), term, commit and applied index never go back in a life, and members that applied the same have the same
 * membership. Throws `AssertionError`.
 */
export class PromiseChecker {
  readonly #nodes: ReadonlyMap<PeerId, TestNode>;
  readonly #votes = new Map<string, PeerId>();
  readonly #memberships = new Map<number, string>();
  readonly #before = new Map<PeerId, { readonly life: number; readonly view: RaftView }>();

  constructor(nodes: ReadonlyMap<PeerId, TestNode>) {
    this.#nodes = nodes;
  }

  /** A message leaves. */
  left(message: Message): void {
    const node = this.#nodes.get(message.from);
    if (node === undefined) return;
    if (message.kind === "voteResponse" && !message.isPreVote && !message.isRejected) {
      const { term, vote } = node.disk.hardState;
      const isStored = term > message.term || (term === message.term && vote === message.to);
      assert(isStored, `durable before told: the vote of peer ${node.id} in term ${message.term}`);
      const key = `${node.id} in ${message.term}`;
      const given = this.#votes.get(key) ?? message.to;
      assert(given === message.to, `one vote a term: peer ${key} votes for ${given} and ${message.to}`);
      this.#votes.set(key, given);
    }
    if (message.kind === "appendRequest" || message.kind === "heartbeatRequest") {
      const isStored = node.disk.hardState.term >= message.term;
      assert(isStored, `durable before told: peer ${node.id} leads in term ${message.term}`);
    }
    if (message.kind === "appendResponse" && message.hint === undefined) {
      const isStored = lastOnDisk(node) >= message.index;
      assert(isStored, `durable before told: peer ${node.id} acknowledges ${message.index}`);
    }
  }

  /** Compares with what this member said of itself before. */
  check(node: TestNode, view: RaftView): void {
    const known = this.#before.get(node.id);
    if (known?.life === node.lives) {
      const before = known.view;
      assert(view.term >= before.term, `terms never fall: peer ${node.id} from ${before.term} to ${view.term}`);
      assert(view.commitIndex >= before.commitIndex, `the commit index never falls: peer ${node.id}`);
      assert(view.appliedIndex >= before.appliedIndex, `the applied index never falls: peer ${node.id}`);
    }
    this.#before.set(node.id, { life: node.lives, view });
    const isSame =
      known?.view.missingEntries === view.missingEntries &&
      known.view.membership === view.membership &&
      known.view.appliedIndex === view.appliedIndex;
    if (!isSame || known.view.firstIndex !== view.firstIndex) this.#checkMembership(node, view);
    this.#checkDurable(node, view);
  }

  #checkMembership(node: TestNode, view: RaftView): void {
    // A snapshot's membership counts at once, and its index is told as applied when it is installed.
    const index = Math.max(view.appliedIndex, view.firstIndex - 1);
    // A change among lost entries takes effect again when they are back on disk; until then nothing depends on it.
    if (index === 0 || view.missingEntries > 0 || node.disk.lost.length > 0) return;
    const text = JSON.stringify(view.membership);
    const known = this.#memberships.get(index) ?? text;
    assert(known === text, `equal memberships at equal index: peer ${view.id} at ${index} has ${text}, not ${known}`);
    this.#memberships.set(index, text);
  }

  #checkDurable(node: TestNode, view: RaftView): void {
    const { durableIndex } = view;
    if (durableIndex < view.firstIndex) return;
    const { entries } = node.disk;
    const stored = entries[durableIndex - (entries[0]?.index ?? 0)];
    // Undefined: this entry cannot be read any more, and the others are asked for it.
    const term = node.core?.termAt(durableIndex);
    const isTrue = stored?.index === durableIndex && (stored.term === term || term === undefined);
    assert(isTrue, `what counts as durable is on disk: peer ${node.id} at ${durableIndex}`);
  }
}

function lastOnDisk({ disk }: TestNode): number {
  return disk.entries[disk.entries.length - 1]?.index ?? disk.logStart.index;
}
