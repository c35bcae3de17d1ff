import type { PlacementNode } from "../../fleet/placement-nodes.ts";
import { mix } from "./draw.ts";

/** What the order of partners depends on. */
export type OrderedNode = Pick<PlacementNode, "nodeId" | "zone">;

/** So many partners of a node are found in one pass; who needs more has all of them sorted. */
const shortListMax = 32;
/** What sorts nodes of the same zone behind all others; ranks are below it. */
const nearKey = 2 ** 32;

/**
 * For every node all others in the order in which they become its partners: other zones first, then by a draw that only
 * depends on the pair. It depends on ids and zones alone, so a thousand nodes that come, go and fill up share one, and
 * each chunk costs a look at the first few instead of a pass over all. Made when asked for, a node at a time.
 */
export class PartnerOrder {
  readonly #nodes: readonly OrderedNode[];
  readonly #short = new Map<number, readonly number[]>();
  readonly #whole = new Map<number, readonly number[]>();
  /** Nodes whose lists were made ahead. */
  #warmCount = 0;

  private constructor(nodes: readonly OrderedNode[]) {
    this.#nodes = nodes.map(({ nodeId, zone }) => ({ nodeId, zone })).sort((left, right) => left.nodeId - right.nodeId);
  }

  /** The order among these nodes; the earlier one when nothing that matters changed since. */
  static among(nodes: readonly OrderedNode[], earlier?: PartnerOrder): PartnerOrder {
    return earlier !== undefined && earlier.#isAmong(nodes) ? earlier : new PartnerOrder(nodes);
  }

  /** Makes the lists of some nodes more, so that no single plan has to make all of them. */
  warm(countMax: number): void {
    for (let count = 0; count < countMax && this.#warmCount < this.#nodes.length; count++) {
      const first = this.#nodes[this.#warmCount];
      this.#warmCount += 1;
      if (first !== undefined) this.#shortOf(first);
    }
  }

  /** The first partners of a node that satisfy, in order, at most so many. */
  *partnersOf(first: OrderedNode, isFit: (nodeId: number) => boolean, countMax: number): Generator<number> {
    let count = 0;
    const short = this.#shortOf(first);
    for (const nodeId of short) {
      if (count === countMax) return;
      if (!isFit(nodeId)) continue;
      count += 1;
      yield nodeId;
    }
    if (count === countMax || short.length < shortListMax) return;
    const whole = this.#wholeOf(first);
    for (let at = short.length; at < whole.length && count < countMax; at++) {
      const nodeId = whole[at] ?? 0;
      if (!isFit(nodeId)) continue;
      count += 1;
      yield nodeId;
    }
  }

  #isAmong(nodes: readonly OrderedNode[]): boolean {
    // Both come from the tables in the order of ids; anything else only makes a new order.
    return (
      nodes.length === this.#nodes.length &&
      nodes.every(({ nodeId, zone }, at) => this.#nodes[at]?.nodeId === nodeId && this.#nodes[at].zone === zone)
    );
  }

  #shortOf(first: OrderedNode): readonly number[] {
    let short = this.#short.get(first.nodeId);
    if (short === undefined) this.#short.set(first.nodeId, (short = this.#firstOf(first)));
    return short;
  }

  /** As `leastOf`, without an object for each node: a thousand nodes have a million pairs. */
  #firstOf(first: OrderedNode): readonly number[] {
    const ids: number[] = [];
    const keys: number[] = [];
    for (const { nodeId, zone } of this.#nodes) {
      if (nodeId === first.nodeId) continue;
      const key = mix(first.nodeId, nodeId) + (zone === first.zone ? nearKey : 0);
      if (ids.length === shortListMax && key >= (keys[shortListMax - 1] ?? 0)) continue;
      let at = Math.min(ids.length, shortListMax - 1);
      // Equal keys stay in the order of ids, in which they come.
      for (; at > 0 && (keys[at - 1] ?? 0) > key; at--) {
        keys[at] = keys[at - 1] ?? 0;
        ids[at] = ids[at - 1] ?? 0;
      }
      keys[at] = key;
      ids[at] = nodeId;
    }
    return ids;
  }

  #wholeOf(first: OrderedNode): readonly number[] {
    let whole = this.#whole.get(first.nodeId);
    if (whole === undefined) {
      const ranked = [...this.#ranked(first)].sort((left, right) => (isBefore(left, right) ? -1 : 1));
      this.#whole.set(first.nodeId, (whole = ranked.map(({ nodeId }) => nodeId)));
    }
    return whole;
  }

  #ranked(first: OrderedNode): readonly PartnerRank[] {
    return this.#nodes.filter((node) => node.nodeId !== first.nodeId).map((node) => rankOf(first, node));
  }
}

/** How near a node is to becoming another one's partner; ids break ties. */
export interface PartnerRank {
  readonly nodeId: number;
  /** 1 in the first node's own zone. */
  readonly isNear: number;
  readonly rank: number;
}

/** A node's rank among the partners of another one. */
export function rankOf(first: OrderedNode, { nodeId, zone }: OrderedNode): PartnerRank {
  return { nodeId, isNear: Number(zone === first.zone), rank: mix(first.nodeId, nodeId) };
}

function isBefore(left: PartnerRank, right: PartnerRank): boolean {
  if (left.isNear !== right.isNear) return left.isNear < right.isNear;
  return left.rank === right.rank ? left.nodeId < right.nodeId : left.rank < right.rank;
}

/** The `count` that come first, in order, without sorting all of them. */
export function leastOf<T extends PartnerRank>(ranked: readonly T[], count: number): readonly T[] {
  const least: T[] = [];
  for (const one of ranked) {
    const last = least[count - 1];
    if (last !== undefined && !isBefore(one, last)) continue;
    let at = Math.min(least.length, count - 1);
    least[at] = one;
    for (; at > 0; at--) {
      const before = least[at - 1];
      if (before === undefined || !isBefore(one, before)) break;
      least[at] = before;
      least[at - 1] = one;
    }
  }
  return least;
}
