import { equalBytes } from "@holdfast/base";
import type { StateHashAt } from "../application/state-hashes.ts";

/** What comparing with the others shows. */
export type Verdict =
  /** Nobody says otherwise, as far as anybody was there to say. */
  | { readonly kind: "equal" }
  /** A majority of all masters came to the same other state: this one is wrong. */
  | { readonly kind: "diverged"; readonly index: number }
  /** Somebody came to another state, and there is no majority against this one. */
  | { readonly kind: "disputed"; readonly index: number };

/**
 * Whether this master's tables are what the log makes of them, judged by the others' hashes at equal indexes. A state
 * that once diverged never agrees again, so the newest indexes say it all. `mastersCount`: all with a vote, this one included.
 */
export function judge(
  own: readonly StateHashAt[],
  others: readonly (readonly StateHashAt[])[],
  mastersCount: number,
): Verdict {
  const majority = Math.floor(mastersCount / 2) + 1;
  let disputedIndex: number | undefined;
  for (const { index, stateHash } of own.toReversed()) {
    const differing = others.flatMap((hashes) => {
      const theirs = hashes.find((hash) => hash.index === index)?.stateHash;
      return theirs === undefined || equalBytes(theirs, stateHash) ? [] : [theirs];
    });
    const isOutvoted = differing.some((one) => differing.filter((other) => equalBytes(one, other)).length >= majority);
    if (isOutvoted) return { kind: "diverged", index };
    if (differing.length > 0) disputedIndex ??= index;
  }
  return disputedIndex === undefined ? { kind: "equal" } : { kind: "disputed", index: disputedIndex };
}
