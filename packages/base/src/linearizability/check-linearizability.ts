import type { Model } from "./model.ts";
import { partition, type History } from "./operation.ts";
import { reportFailure } from "./report.ts";
import { searchOrder } from "./search.ts";

/** What is known of a history. */
export type LinearizabilityVerdict<Input, Output> =
  /** Every key's operations can have happened one by one; `steps` were tried. */
  | { readonly kind: "linearizable"; readonly keys: number; readonly operations: number; readonly steps: number }
  /** No order explains this key (of all such the one with the fewest operations). */
  | {
      readonly kind: "notLinearizable";
      readonly key: string;
      /** The shortest beginning of the key's history that cannot be explained, without reads that are not needed for it. */
      readonly history: History<Input, Output>;
      /** For people. */
      readonly report: string;
    }
  /** The bound was reached for these keys; the others are linearizable. */
  | { readonly kind: "undecided"; readonly keys: readonly string[]; readonly steps: number };

/** How much work a check may be. */
export interface CheckOptions {
  /** Model steps tried for one key before it is `undecided`. Default 2 million (some seconds). */
  readonly stepsMax?: number;
}

const stepsMaxDefault = 2_000_000;

/**
 * Whether the history is linearizable (Herlihy and Wing 1990): as if each operation happened at one moment between its
 * call and its return. Keys are checked one by one, which is enough because linearizability is local. A broken key is
 * reported even when others are undecided.
 */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  options: CheckOptions = {},
): LinearizabilityVerdict<Input, Output> {
  const stepsMax = options.stepsMax ?? stepsMaxDefault;
  const parts = partition(history);
  const undecided: string[] = [];
  let broken: { readonly key: string; readonly part: History<Input, Output> } | undefined;
  let steps = 0;
  for (const [key, part] of parts) {
    if (broken !== undefined && part.length >= broken.part.length) continue;
    const outcome = searchOrder(model, part, stepsMax);
    steps += outcome.steps;
    if (outcome.kind === "undecided") undecided.push(key);
    if (outcome.kind === "notLinearizable") broken = { key, part };
  }
  if (broken !== undefined) {
    return { kind: "notLinearizable", key: broken.key, ...reportFailure(model, broken.part, stepsMax) };
  }
  if (undecided.length > 0) return { kind: "undecided", keys: undecided, steps };
  return { kind: "linearizable", keys: parts.size, operations: history.length, steps };
}
