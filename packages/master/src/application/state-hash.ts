import { createHash } from "node:crypto";
import type { KeyValueChange } from "@holdfast/runtime";

/** Before the first entry. */
export const emptyStateHash = new Uint8Array(32);

/**
 * SHA-256 over the hash before, the entry's index, and its key changes in order, each with its lengths: equal on two
 * masters exactly when they folded the same entries to the same effect, wherever their batches began and ended.
 */
export function nextStateHash(before: Uint8Array, index: number, changes: readonly KeyValueChange[]): Uint8Array {
  const hash = createHash("sha256");
  hash.update(before);
  hash.update(numbers(index, changes.length));
  for (const { key, value } of changes) {
    // A removed key differs from one with an empty value.
    hash.update(numbers(key.length, value === undefined ? 0 : value.length + 1));
    hash.update(key);
    if (value !== undefined) hash.update(value);
  }
  return new Uint8Array(hash.digest());
}

function numbers(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(first));
  view.setBigUint64(8, BigInt(second));
  return bytes;
}
