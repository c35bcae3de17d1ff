import { describe, expect, it } from "vitest";
import { planScrub, scrubRestMs } from "./plan.ts";
import type { ScrubPolicy, ScrubView } from "./plan.ts";

const policy: ScrubPolicy = {
  periodMs: 1_000_000,
  bytesPerSecondMin: 1000,
  foregroundCountMax: 2,
  idleMs: 50,
  againAfterMs: 1000,
  saveIntervalMs: 1_000,
};
const view = (changes: Partial<ScrubView>): ScrubView => ({
  nowMs: 10_000,
  verifiedAtMs: [9000, 8000, 9500],
  usedBytes: 100,
  foregroundCount: 0,
  ...changes,
});

describe("planScrub", () => {
  it.each([
    { what: "the oldest bucket", change: {}, step: { kind: "verify", bucket: 1 } },
    { what: "a bucket never verified", change: { verifiedAtMs: [1, 5, 0] }, step: { kind: "verify", bucket: 2 } },
    {
      what: "a bucket verified by a clock that was ahead",
      change: { verifiedAtMs: [9000, 99_000, 9500] },
      step: { kind: "verify", bucket: 1 },
    },
    { what: "nothing on an empty disk", change: { usedBytes: 0 }, step: { kind: "wait", delayMs: 50 } },
    { what: "nothing while others work", change: { foregroundCount: 2 }, step: { kind: "wait", delayMs: 50 } },
    {
      what: "nothing that was just verified",
      change: { verifiedAtMs: [9001, 9001, 9001] },
      step: { kind: "wait", delayMs: 50 },
    },
  ])("takes $what", ({ change, step }) => expect(planScrub(view(change), policy)).toEqual(step));

  it("keeps the rate of the period, but not below the minimum", () => {
    expect(scrubRestMs(500, 100_000_000, policy)).toBe(5);
    expect(scrubRestMs(500, 100, policy)).toBe(500);
  });
});
