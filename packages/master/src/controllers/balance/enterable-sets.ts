import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { NodeSums } from "../../domain/chunks/node-sums.ts";
import { PartnerOrder } from "../../domain/chunks/placement/partner-order.ts";
import { scatterWidthNodesMax } from "../../domain/chunks/placement/plan.ts";
import type { CopyNode } from "../repair/copy-node.ts";

/** One look at the sets. */
export interface EnterableView {
  readonly nodes: readonly CopyNode[];
  readonly sets: readonly CountedSet[];
  readonly replication: number;
  readonly order?: PartnerOrder | undefined;
}

/** A set with its place among all, which settles what is equally good. */
export interface EnterableSet {
  readonly set: CountedSet;
  readonly position: number;
}

/**
 * Which copy sets a node may come into in another one's place. New sets come about only among the fixed partners of a node
 * that stays, so that sets stay few; so a node has a few dozen sets to look at, and not all there are. Only sets with all
 * their copies, on nodes that stay, are of use.
 */
export class EnterableSets {
  /** Partners of the node that stays first. */
  readonly #partners = new Map<number, ReadonlySet<number>>();
  /** Sets by the nodes that can be the first that stays: one of the two lowest. */
  readonly #setsOf = new Map<number, EnterableSet[]>();
  /** Sets of one node: nobody stays in them, so that anybody may come. */
  readonly #lonely: EnterableSet[] = [];
  /** Node -> those whose partner it is. */
  readonly #firstsOf = new Map<number, number[]>();

  constructor({ nodes, sets, replication, order = PartnerOrder.among(nodes) }: EnterableView) {
    const byId = new Map(nodes.map((node) => [node.nodeId, node]));
    const staying = new NodeSums(nodes);
    for (const { nodeId, stays } of nodes) staying.add(nodeId, Number(stays));
    for (const [position, set] of sets.entries()) {
      if (set.heldCount === 0 || set.nodeIds.length !== replication) continue;
      if (!set.nodeIds.every((nodeId) => staying.of(nodeId) === 1)) continue;
      if (set.nodeIds.length === 1) this.#lonely.push({ set, position });
      const entry = { set, position };
      for (let at = 0; at < 2 && at < replication; at++) append(this.#setsOf, set.nodeIds[at] ?? 0, entry);
    }
    const takes = (nodeId: number): boolean => {
      const node = byId.get(nodeId);
      return node?.isActive === true && node.liveness === "live";
    };
    for (const first of nodes) {
      if (!this.#setsOf.has(first.nodeId)) continue;
      const partners = new Set(order.partnersOf(first, takes, scatterWidthNodesMax));
      this.#partners.set(first.nodeId, partners);
      for (const nodeId of partners) append(this.#firstsOf, nodeId, first.nodeId);
    }
  }

  /** Sets that the node may come into when a certain node leaves them; see `mayEnter`. A set may come twice. */
  *of(nodeId: number): Generator<EnterableSet> {
    yield* this.#lonely;
    for (const firstId of this.#firstsOf.get(nodeId) ?? []) yield* this.#setsOf.get(firstId) ?? [];
  }

  /** Whether a set without the source is one that the target comes into. */
  mayEnter(set: CountedSet, { sourceId, targetId }: { readonly sourceId: number; readonly targetId: number }): boolean {
    const firstId = set.nodeIds.find((nodeId) => nodeId !== sourceId);
    return firstId === undefined || this.#partners.get(firstId)?.has(targetId) === true;
  }
}

function append<T>(lists: Map<number, T[]>, key: number, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
