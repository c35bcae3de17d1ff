import type { SimWorld } from "@holdfast/runtime/sim";

/** A step that a client took. */
export interface MeteredStep {
  readonly who: string;
  readonly what: string;
  readonly bytes: number;
  readonly fromMs: number;
  toMs: number | undefined;
  outcome: string;
  /** Copies were being made while it ran. */
  readonly isRepairing: boolean;
}

/** Counts what clients do and how long it takes. */
export class WorkloadMeter {
  readonly steps: MeteredStep[] = [];
  readonly #world: SimWorld;
  readonly #isRepairing: () => boolean;

  constructor(world: SimWorld, isRepairing: () => boolean) {
    this.#world = world;
    this.#isRepairing = isRepairing;
  }

  /** A step begins; call the result when it ends. */
  begin(who: string, what: string, bytes: number): (outcome: string) => void {
    const step: MeteredStep = {
      ...{ who, what, bytes, fromMs: this.#world.nowMs() },
      ...{ toMs: undefined, outcome: "open", isRepairing: this.#isRepairing() },
    };
    this.steps.push(step);
    return (outcome) => {
      step.toMs = this.#world.nowMs();
      step.outcome = outcome;
    };
  }

  /** Bytes of everything that was answered. */
  bytes(): number {
    return this.steps.reduce((sum, step) => sum + (step.outcome === "done" ? step.bytes : 0), 0);
  }

  /** Ms that reads took, in virtual time, sorted. */
  readMs(isRepairing: boolean): readonly number[] {
    return this.steps
      .filter((step) => step.what.startsWith("read ") && step.isRepairing === isRepairing && step.toMs !== undefined)
      .map((step) => (step.toMs ?? 0) - step.fromMs)
      .sort((left, right) => left - right);
  }
}
