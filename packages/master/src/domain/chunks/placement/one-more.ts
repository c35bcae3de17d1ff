import type { PlacementNode } from "../../fleet/placement-nodes.ts";
import { PartnerOrder } from "./partner-order.ts";
import { drawOne, farthest, placementObstacle, scatterWidthNodesMax } from "./plan.ts";

/** What lacks a copy. */
export interface OneMoreRequest {
  readonly chunkId: number;
  /** Nodes with a copy that counts; the zones to differ from. */
  readonly holderNodeIds: readonly number[];
  /** Nodes that must not be drawn: they hold a copy, or are to hold one, or failed to, or have enough to do. */
  readonly isExcluded: (nodeId: number) => boolean;
  /** Only these zones will do; absent = any. */
  readonly isZoneAllowed?: ((zone: string) => boolean) | undefined;
}

/** Against what places are drawn. */
export interface OneMoreView {
  readonly nodes: readonly PlacementNode[];
  readonly chunkSizeBytes: number;
  /** Of these nodes; made here when there is none. */
  readonly order?: PartnerOrder | undefined;
}

/** Draws places for chunks that lack one, against the same look at the nodes: many chunks, each at the cost of a few nodes. */
export class OneMorePlan {
  readonly #order: PartnerOrder;
  readonly #byId: ReadonlyMap<number, PlacementNode>;
  /** Nodes that take a copy now. */
  readonly #usable: ReadonlyMap<number, PlacementNode>;

  constructor({ nodes, chunkSizeBytes, order }: OneMoreView) {
    this.#order = order ?? PartnerOrder.among(nodes);
    this.#byId = new Map(nodes.map((node) => [node.nodeId, node]));
    const usable = nodes.filter((node) => placementObstacle(node, chunkSizeBytes) === undefined);
    this.#usable = new Map(usable.map((node) => [node.nodeId, node]));
  }

  /** Whether the node takes a copy now, by its own state. */
  isUsable(nodeId: number): boolean {
    return this.#usable.has(nodeId);
  }

  /**
   * One place more for a chunk: a partner of its first holder, another zone first, then another rack, by the draw of all
   * placement; a node to be careful with only when there is no other. Undefined when no node can.
   */
  draw(request: OneMoreRequest): number | undefined {
    const trusted = this.#candidates(request, (node) => !node.isCautioned);
    const candidates = trusted.length > 0 ? trusted : this.#candidates(request, () => true);
    const holders = this.#holdersOf(request);
    return candidates.length === 0 ? undefined : drawOne(farthest(candidates, holders), request.chunkId).nodeId;
  }

  #candidates(request: OneMoreRequest, isTrusted: (node: PlacementNode) => boolean): readonly PlacementNode[] {
    const { holderNodeIds, isExcluded, isZoneAllowed } = request;
    const isFit = (nodeId: number): boolean => {
      const node = this.#usable.get(nodeId);
      if (node === undefined || !isTrusted(node) || isZoneAllowed?.(node.zone) === false) return false;
      return !holderNodeIds.includes(nodeId) && !isExcluded(nodeId);
    };
    const [first] = this.#holdersOf(request);
    const fit =
      first === undefined
        ? [...this.#usable.keys()].filter(isFit)
        : [...this.#order.partnersOf(first, isFit, scatterWidthNodesMax)];
    return fit.map((nodeId) => this.#usable.get(nodeId)).filter((node) => node !== undefined);
  }

  /** In the order of ids. */
  #holdersOf({ holderNodeIds }: OneMoreRequest): readonly PlacementNode[] {
    return holderNodeIds
      .map((nodeId) => this.#byId.get(nodeId))
      .filter((node) => node !== undefined)
      .sort((left, right) => left.nodeId - right.nodeId);
  }
}
