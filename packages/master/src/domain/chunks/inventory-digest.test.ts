import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDigests, copyDigest, subtractDigest } from "./inventory-digest.ts";

function reference(copy: { chunkId: number; generation: number; lengthBytes: number }): number {
  const input = Buffer.alloc(16);
  input.writeBigUInt64BE(BigInt(copy.chunkId), 0);
  input.writeUInt32BE(copy.generation, 8);
  input.writeUInt32BE(copy.lengthBytes, 12);
  return createHash("sha256").update(input).digest().readUIntBE(0, 6);
}

const anyCopy = fc.record({
  chunkId: fc.maxSafeNat(),
  generation: fc.integer({ min: 1, max: 0xffff_ffff }),
  lengthBytes: fc.integer({ min: 1, max: 64 * 1024 ** 2 }),
});

describe("copyDigest", () => {
  test("is the documented number for the documented example", () => {
    expect(copyDigest({ chunkId: 1, generation: 1, lengthBytes: 4194304 })).toBe(55737133733294);
  });

  test("agrees with the system's SHA-256 for any copy", () => {
    fc.assert(
      fc.property(anyCopy, (copy) => {
        expect(copyDigest(copy)).toBe(reference(copy));
      }),
    );
  });

  test("a sum does not depend on order, and what is taken out was never in", () => {
    fc.assert(
      fc.property(fc.array(anyCopy, { minLength: 1 }), (copies) => {
        const digests = copies.map(copyDigest);
        const sum = digests.reduce(addDigests, 0);
        expect(digests.toReversed().reduce(addDigests, 0)).toBe(sum);
        expect(digests.reduce(subtractDigest, sum)).toBe(0);
      }),
    );
  });
});
