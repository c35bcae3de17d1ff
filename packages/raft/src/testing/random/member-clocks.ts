import type { PeerId } from "../../core/types.ts";
import type { TestNode } from "../test-node.ts";

/** Clocks of members that differ a little: how many ticks each is due. A member that was paused is due all it missed. */
export class MemberClocks {
  readonly #rates: readonly number[];
  readonly #starts = new Map<PeerId, { readonly life: number; readonly atTicks: number }>();
  #nowTicks = 0;

  constructor(rates: readonly number[]) {
    this.#rates = rates;
  }

  /** True time passes. */
  advance(ticks: number): void {
    this.#nowTicks += ticks;
  }

  /** Ticks that this member's own clock has made and that it was not given. */
  dueTicks(node: TestNode): number {
    let start = this.#starts.get(node.id);
    if (start?.life !== node.lives) {
      start = { life: node.lives, atTicks: this.#nowTicks };
      this.#starts.set(node.id, start);
    }
    return Math.floor((this.#nowTicks - start.atTicks) * (this.#rates[node.id - 1] ?? 1)) - node.ticks;
  }
}
