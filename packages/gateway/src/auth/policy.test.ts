import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketWaitMs,
  emailFault,
  passwordFault,
  refilled,
  sessionIdleMs,
  sessionLifetime,
  signInDelayMs,
} from "./policy.ts";

const hourMs = 3_600_000;

describe("lifetimes", () => {
  test("are those of the design", () => {
    const of = (isAdmin: boolean, channel: "browser" | "cli", keepSignedIn: boolean) =>
      sessionLifetime({ isAdmin, channel, keepSignedIn });
    expect(of(false, "browser", false)).toEqual({ absoluteMs: 24 * hourMs, idleMs: hourMs });
    expect(of(false, "browser", true)).toEqual({ absoluteMs: 30 * 24 * hourMs, idleMs: 14 * 24 * hourMs });
    expect(of(true, "browser", true)).toEqual({ absoluteMs: 8 * hourMs, idleMs: hourMs / 4 });
    expect(of(true, "cli", false).absoluteMs).toBe(30 * 24 * hourMs);
  });
  test("the idle limit is found again from the session", () => {
    for (const isAdmin of [true, false])
      for (const keepSignedIn of [true, false])
        for (const channel of ["browser", "cli"] as const) {
          const { absoluteMs, idleMs } = sessionLifetime({ isAdmin, channel, keepSignedIn });
          expect(sessionIdleMs({ isAdmin, channel, absoluteMs })).toBe(idleMs);
        }
  });
});

test("delays double from 1 s to 60 s after three failures", () => {
  expect([0, 1, 2, 3, 4, 5, 8, 9, 10, 1e9].map(signInDelayMs)).toEqual([
    0, 0, 0, 1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000,
  ]);
});

test("a bucket never holds more than its size, and waiting as told gives an attempt", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ pauseMs: fc.nat(100_000), isTaken: fc.boolean() })), (steps) => {
      let nowMs = 0;
      let bucket = refilled(undefined, nowMs);
      for (const { pauseMs, isTaken } of steps) {
        nowMs += pauseMs;
        bucket = refilled(bucket, nowMs);
        expect(bucket.tokens).toBeLessThanOrEqual(10);
        const waitMs = bucketWaitMs(bucket);
        expect(refilled(bucket, nowMs + waitMs).tokens).toBeGreaterThanOrEqual(1 - 1e-9);
        if (isTaken && waitMs === 0) bucket = { ...bucket, tokens: bucket.tokens - 1 };
      }
    }),
  );
});

test("passwords and addresses", () => {
  expect([passwordFault("1234567"), passwordFault("x".repeat(257))].every((fault) => fault !== undefined)).toBe(true);
  expect([passwordFault("12345678"), passwordFault("🚀".repeat(8)), passwordFault("x".repeat(256))]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(
    ["", "ada", "@", "a@", "@b", "a b@c", "a@b@c", `${"x".repeat(260)}@b`].filter(
      (email) => emailFault(email) === undefined,
    ),
  ).toEqual([]);
  expect(["a@b", " Ada@Example.org ", "jörg@exämple.de"].filter((email) => emailFault(email) !== undefined)).toEqual(
    [],
  );
});
