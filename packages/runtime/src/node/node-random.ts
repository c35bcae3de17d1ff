import { randomBytes } from "node:crypto";
import type { Random } from "../ports/random.ts";

/** The operating system's randomness; `fraction` is for jitter and choice, not for secrets. */
export function createNodeRandom(): Random {
  return { fraction: () => Math.random(), bytes: (count) => new Uint8Array(randomBytes(count)) };
}
