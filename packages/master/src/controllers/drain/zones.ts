import type { CopyNode } from "../repair/copy-node.ts";

/** Which zones copies that leave nodes by order may go to; one look at the nodes for many chunks. */
export class DrainZones {
  readonly #zones: ReadonlyMap<number, string>;
  /** Zones with a node that is to stay, full, slow or silent as it may be now. */
  readonly #lasting: ReadonlySet<string>;

  constructor(nodes: readonly CopyNode[]) {
    this.#zones = new Map(nodes.map((node) => [node.nodeId, node.zone]));
    this.#lasting = new Set(nodes.filter((node) => node.isActive && node.liveness !== "dead").map((node) => node.zone));
  }

  /**
   * Which zones a copy may go to, or undefined for any: when some node that is to stay stands in a zone without a copy, the
   * copy waits for such a node rather than to give up a zone. Nothing is at risk meanwhile: the leaving copy counts until
   * it is replaced.
   */
  allowed(
    stayingNodeIds: readonly number[],
    holderNodeIds: readonly number[],
  ): ((zone: string) => boolean) | undefined {
    const zoneOf = (nodeId: number): string | undefined => this.#zones.get(nodeId);
    const taken = new Set(stayingNodeIds.map(zoneOf));
    const before = new Set(holderNodeIds.map(zoneOf)).size;
    // Nothing is given up by staying in the zones that are left.
    if (taken.size >= before) return undefined;
    const isFree = (zone: string): boolean => !taken.has(zone);
    return [...this.#lasting].some(isFree) ? isFree : undefined;
  }
}
