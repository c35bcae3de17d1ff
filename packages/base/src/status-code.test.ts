import { expect, test } from "vitest";
import { errorKinds } from "./errors.ts";
import { errorKindOfStatusCode } from "./status-code.ts";

test("a status code has at most one kind, no two codes share one, and what says nothing has none", () => {
  const kinds = Array.from({ length: 20 }, (_, code) => errorKindOfStatusCode(code)).filter(
    (kind) => kind !== undefined,
  );
  expect(new Set(kinds).size).toBe(kinds.length);
  for (const kind of kinds) expect(errorKinds).toContain(kind);
  expect([0, 2, 11, 12, 13, 99].map(errorKindOfStatusCode)).toEqual(Array.from({ length: 6 }, () => undefined));
  expect(errorKindOfStatusCode(7)).toBe("denied");
});
