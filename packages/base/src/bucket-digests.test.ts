import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeBucketDigests, encodeBucketDigests } from "./bucket-digests.ts";

it("gives back every digest below 2^48, wherever the bytes lie in their buffer", () => {
  const digest = fc.oneof(
    fc.nat(),
    fc.maxSafeNat().map((value) => value % 2 ** 48),
    fc.constant(2 ** 48 - 1),
  );
  fc.assert(
    fc.property(fc.array(digest, { minLength: 256, maxLength: 256 }), fc.nat(9), (digests, offset) => {
      const bytes = encodeBucketDigests(digests);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      expect(decodeBucketDigests(moved.subarray(offset))).toEqual(digests);
    }),
  );
});

it("is big-endian, six bytes a bucket", () => {
  const bytes = encodeBucketDigests([0, 0x0102_0304_0506]);
  expect([...bytes.subarray(0, 13)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0]);
  expect(bytes).toHaveLength(1536);
});

it("refuses bytes of another length", () => {
  for (const length of [0, 1, 1535, 1537]) expect(decodeBucketDigests(new Uint8Array(length))).toBeUndefined();
});
