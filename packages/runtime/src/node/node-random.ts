import { randomBytes, randomFillSync } from "node:crypto";
import type { Random } from "../ports/random.ts";

/** Small draws come out of a block, because every question to the system costs as much as a small block. */
const blockBytes = 4096;
const smallBytesMax = 64;

/** The operating system's randomness; `fraction` is for jitter and choice, not for secrets. */
export function createNodeRandom(): Random {
  const block = new Uint8Array(blockBytes);
  let usedBytes = blockBytes;
  const bytes = (count: number): Uint8Array => {
    if (count > smallBytesMax) return new Uint8Array(randomBytes(count));
    if (usedBytes + count > blockBytes) {
      randomFillSync(block);
      usedBytes = 0;
    }
    const drawn = block.slice(usedBytes, usedBytes + count);
    // What was handed out may become a secret: it does not stay here.
    block.fill(0, usedBytes, usedBytes + count);
    usedBytes += count;
    return drawn;
  };
  return { fraction: () => Math.random(), bytes };
}
