import type { ActiveCopy, RepairLimits } from "./plan.ts";

/** How many orders are out for every node, as target and as source. */
export class CopyLoads {
  readonly #limits: RepairLimits;
  readonly #taken = new Map<number, number>();
  readonly #given = new Map<number, number>();

  constructor(active: readonly ActiveCopy[], limits: RepairLimits) {
    this.#limits = limits;
    for (const { sourceId, targetId } of active) this.note(sourceId, targetId);
  }

  /** Orders that name the node as their first source. */
  givenBy(nodeId: number): number {
    return this.#given.get(nodeId) ?? 0;
  }

  mayGive(nodeId: number): boolean {
    return this.givenBy(nodeId) < this.#limits.outPerSourceMax * this.#limits.ordersPerPullMax;
  }

  mayTake(nodeId: number): boolean {
    return (this.#taken.get(nodeId) ?? 0) < this.#limits.inPerTargetMax * this.#limits.ordersPerPullMax;
  }

  /** One order more. */
  note(sourceId: number, targetId: number): void {
    this.#given.set(sourceId, this.givenBy(sourceId) + 1);
    this.#taken.set(targetId, (this.#taken.get(targetId) ?? 0) + 1);
  }
}
