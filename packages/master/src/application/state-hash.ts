import { hash } from "node:crypto";
import type { KeyValueChange } from "@holdfast/runtime";

/** Before the first entry. */
export const emptyStateHash = new Uint8Array(32);

/**
 * SHA-256 over the hash before, the entry's index, the number of changes, and each change in order: key length, value
 * length + 1 (0 = removed), key, value; numbers in eight bytes, big-endian. Equal on two masters exactly when they
 * folded the same entries to the same effect, wherever their batches began and ended.
 */
export function nextStateHash(before: Uint8Array, index: number, changes: readonly KeyValueChange[]): Uint8Array {
  let length = before.length + 16;
  for (const { key, value } of changes) length += 16 + key.length + (value?.length ?? 0);
  const bytes = Buffer.allocUnsafe(length);
  bytes.set(before);
  let at = writePair(bytes, before.length, [index, changes.length]);
  for (const { key, value } of changes) {
    at = writePair(bytes, at, [key.length, value === undefined ? 0 : value.length + 1]);
    bytes.set(key, at);
    at += key.length;
    if (value !== undefined) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}

function writePair(bytes: Buffer, at: number, [first, second]: readonly [number, number]): number {
  bytes.writeUIntBE(0, at, 2);
  bytes.writeUIntBE(first, at + 2, 6);
  bytes.writeUIntBE(0, at + 8, 2);
  bytes.writeUIntBE(second, at + 10, 6);
  return at + 16;
}
