import type { WorldShape } from "../world/world-shape.ts";
import type { RunOptions } from "./run-seed.ts";

/** What is left of a seed: everything that is absent is as the seed draws it. As JSON it is typed behind `--only`. */
export interface Narrowing {
  /** Places in the plan of the faults that happen. */
  readonly faults?: readonly number[];
  /** Steps of each client. */
  readonly steps?: number;
  readonly shape?: Partial<WorldShape>;
}

/** How a run is told. */
export function optionsOf(narrowing: Narrowing): RunOptions {
  const { faults, steps, shape } = narrowing;
  const kept = faults === undefined ? undefined : new Set(faults);
  return {
    ...(kept === undefined ? {} : { keepsFault: (index: number) => kept.has(index) }),
    ...(steps === undefined ? {} : { stepsMax: steps }),
    ...(shape === undefined ? {} : { shape }),
  };
}

/** From what was typed. Errors: SyntaxError. */
export function parseNarrowing(text: string): Narrowing {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new SyntaxError("--only needs a JSON object");
  return value;
}
