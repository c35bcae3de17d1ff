import { createSeededRandom } from "@holdfast/runtime/sim";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isTokenShaped, newToken, tokenSha256 } from "./token.ts";

test("is base64url of its bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const token = newToken({ fraction: () => 0, bytes: () => bytes });
      expect(token).toBe(Buffer.from(bytes).toString("base64url"));
      expect(isTokenShaped(token)).toBe(true);
    }),
  );
});

test("two tokens differ, and so do their hashes", () => {
  const random = createSeededRandom(1);
  const [left, right] = [newToken(random), newToken(random)];
  expect(left).not.toBe(right);
  expect(tokenSha256(left)).not.toEqual(tokenSha256(right));
  expect(tokenSha256(left)).toHaveLength(32);
});
