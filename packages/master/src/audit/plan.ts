import { equalBytes } from "@holdfast/base";
import type { StateHashAt } from "../application/state-hashes.ts";

/** What comparing with the others shows. */
export type Verdict =
  /** Nobody says otherwise. `index`: the newest at which a majority, this one included, said so; 0 when too few were there. */
  | { readonly kind: "equal"; readonly index: number }
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
  let [agreedIndex, disputedIndex] = [0, 0];
  for (const { index, stateHash } of own.toReversed()) {
    const said = others.flatMap((hashes) => hashes.find((hash) => hash.index === index)?.stateHash ?? []);
    const differing = said.filter((hash) => !equalBytes(hash, stateHash));
    const isOutvoted = differing.some((one) => differing.filter((other) => equalBytes(one, other)).length >= majority);
    if (isOutvoted) return { kind: "diverged", index };
    if (differing.length > 0) disputedIndex = Math.max(disputedIndex, index);
    if (1 + said.length - differing.length >= majority) agreedIndex = Math.max(agreedIndex, index);
  }
  return disputedIndex > 0 ? { kind: "disputed", index: disputedIndex } : { kind: "equal", index: agreedIndex };
}
