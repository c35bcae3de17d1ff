import { createHash } from "node:crypto";

/** Length of a chain value: a truncated SHA-256. */
const chainBytes = 16;

/** The chain value of a piece: ties it to all pieces before it, so that one lost, doubled or exchanged shows. */
export function chainOf(previous: Uint8Array, data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(previous).update(data).digest().subarray(0, chainBytes));
}
