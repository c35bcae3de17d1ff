import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentDisposition } from "./content-disposition.ts";
import { contentTypeOf, inlinePolicyOf } from "./content-type.ts";
import { evaluateConditions } from "./conditional.ts";
import { sessionCookie } from "./cookies.ts";
import { parseRange } from "./range.ts";
import { mayChangeState } from "./same-origin.ts";

describe("ranges", () => {
  test("a part always lies within the file", () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.oneof(fc.nat(2000), fc.constant("")),
        fc.oneof(fc.nat(2000), fc.constant("")),
        (size, first, last) => {
          const wish = parseRange(`bytes=${first}-${last}`, size);
          if (wish.kind !== "part") return;
          expect(wish.range.lengthBytes).toBeGreaterThan(0);
          expect(wish.range.offsetBytes).toBeGreaterThanOrEqual(0);
          expect(wish.range.offsetBytes + wish.range.lengthBytes).toBeLessThanOrEqual(size);
        },
      ),
    );
  });
  test("an empty file has no part", () => {
    expect(["bytes=0-", "bytes=-1", "bytes=0-0"].map((header) => parseRange(header, 0).kind)).toEqual([
      "unsatisfiable",
      "unsatisfiable",
      "unsatisfiable",
    ]);
    expect(parseRange(undefined, 0)).toEqual({ kind: "whole" });
  });
  test("numbers beyond all files do not confuse it", () => {
    expect(parseRange("bytes=0-99999999999999999999999", 10)).toEqual({
      kind: "part",
      range: { offsetBytes: 0, lengthBytes: 10 },
    });
    expect(parseRange("bytes=99999999999999999999999-", 10)).toEqual({ kind: "unsatisfiable" });
  });
});

test("any name makes a header of printable ASCII that gives the name back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }), (name) => {
      const value = contentDisposition("attachment", name);
      expect(value).toMatch(/^[ -~]+$/);
      const extended = value.slice(value.indexOf("UTF-8''") + 7);
      expect(decodeURIComponent(extended)).toBe(name.toWellFormed());
      expect(value).toMatch(/^attachment; filename="[^"\\]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/);
    }),
  );
});

test("types are told by extension, and nothing else", () => {
  expect(["a.PDF", "b.html", "noextension", ".html", "x.constructor", "photo.JPEG"].map(contentTypeOf)).toEqual([
    "application/pdf",
    "text/html; charset=utf-8",
    "application/octet-stream",
    "application/octet-stream",
    "application/octet-stream",
    "image/jpeg",
  ]);
  expect(
    ["image/svg+xml", "text/html; charset=utf-8", "application/octet-stream"].every((type) =>
      inlinePolicyOf(type).startsWith("sandbox"),
    ),
  ).toBe(true);
});

test("conditions", () => {
  const none = { ifMatch: undefined, ifNoneMatch: undefined, ifRange: undefined };
  expect(evaluateConditions(none, `"v1"`)).toBe("go");
  expect(evaluateConditions({ ...none, ifNoneMatch: "*" }, `"v1"`)).toBe("notModified");
  expect(evaluateConditions({ ...none, ifMatch: `W/"v1"` }, `"v1"`)).toBe("failed");
  expect(evaluateConditions({ ...none, ifMatch: `"v0", "v1"` }, `"v1"`)).toBe("go");
});

test("the cookie is found among others, and only under its own name", () => {
  const [plain, secure] = [sessionCookie(false), sessionCookie(true)];
  expect(plain.read("a=1; holdfast-sid=token; b=2")).toBe("token");
  expect(plain.read("xholdfast-sid=token")).toBeUndefined();
  expect(secure.read("holdfast-sid=token")).toBeUndefined();
  expect(secure.read("__Host-sid=token")).toBe("token");
});

test("who may change state", () => {
  const page = { method: "POST", host: "drive:8080", origin: undefined, secFetchSite: undefined, hasCookie: true };
  const verdict = (claims: Partial<Parameters<typeof mayChangeState>[0]>): boolean =>
    mayChangeState({ ...page, ...claims }, false);
  expect(verdict({ secFetchSite: "same-origin", origin: "http://anything" })).toBe(true);
  expect(verdict({ secFetchSite: "none" })).toBe(false);
  expect(verdict({ origin: "http://drive:8080" })).toBe(true);
  expect(verdict({ origin: "https://drive:8080" })).toBe(false);
  expect(verdict({ origin: "http://drive:8080.evil" })).toBe(false);
  expect(verdict({})).toBe(false);
  expect(verdict({ hasCookie: false })).toBe(true);
  expect(verdict({ method: "GET", secFetchSite: "cross-site" })).toBe(true);
});
