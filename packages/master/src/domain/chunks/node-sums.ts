/**
 * A number for every node, at hand by its id: for sums over tens of thousands of copy sets, where a map of numbers costs
 * ten times as much. Ids are given from 1 upwards, so that there is an entry for each; other ids have 0.
 */
export class NodeSums {
  readonly #sums: Float64Array;

  constructor(nodes: Iterable<{ readonly nodeId: number }>) {
    let idMax = 0;
    for (const { nodeId } of nodes) idMax = Math.max(idMax, nodeId);
    this.#sums = new Float64Array(idMax + 1);
  }

  of(nodeId: number): number {
    return this.#sums[nodeId] ?? 0;
  }

  /** Ids beyond those of the nodes are left out. */
  add(nodeId: number, amount: number): void {
    if (nodeId < this.#sums.length) this.#sums[nodeId] = (this.#sums[nodeId] ?? 0) + amount;
  }
}
