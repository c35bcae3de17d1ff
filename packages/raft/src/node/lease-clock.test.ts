import { describe, expect, it } from "vitest";
import type { HeartbeatRequest } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { LeaseClock, leaseMsOf } from "./lease-clock.ts";

const heartbeat = (round: number): HeartbeatRequest => ({
  ...{ kind: "heartbeatRequest", from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term, round },
  commit: { term: 1 as Term, index: 1 as LogIndex },
});

describe("LeaseClock (§6.4.1)", () => {
  it("lasts what a follower's loyalty lasts when the follower's clock is as fast and this one as slow as allowed", () => {
    const lease = (leaseDriftPercent: number): number =>
      leaseMsOf({ electionTicksMin: 12, tickMs: 25, leaseDriftPercent });
    expect(lease(0), "no leases").toBe(0);
    expect(lease(5)).toBeCloseTo((11 * 24 * 0.95) / 1.05);
    expect(lease(5) / 0.95, "in true time").toBeLessThanOrEqual((11 * 24) / 1.05 + 1e-9);
  });

  it("counts from when the round was first sent, and knows of no other round", () => {
    let nowMs = 1000;
    const leases = new LeaseClock({ clock: { monotonicMs: () => nowMs, wallMs: () => 5 }, leaseMs: 200 });
    leases.sending([heartbeat(7)]);
    nowMs += 150;
    leases.sending([heartbeat(7)]);
    expect([leases.isOver(7), leases.isOver(6)]).toEqual([false, true]);
    nowMs += 50;
    expect(leases.isOver(7)).toBe(true);
  });

  it("ends when the wall clock says that the machine slept, and does not last longer when that goes back", () => {
    const now = { monotonicMs: 0, wallMs: 1e12 };
    const clock = { monotonicMs: () => now.monotonicMs, wallMs: () => now.wallMs };
    const leases = new LeaseClock({ clock, leaseMs: 200 });
    leases.sending([heartbeat(1)]);
    now.wallMs += 10_000;
    expect(leases.isOver(1)).toBe(true);
    now.wallMs -= 20_000;
    expect(leases.isOver(1)).toBe(false);
    now.monotonicMs += 200;
    expect(leases.isOver(1)).toBe(true);
  });

  it("remembers no more rounds than it needs", () => {
    const leases = new LeaseClock({ clock: { monotonicMs: () => 0, wallMs: () => 0 }, leaseMs: 200 });
    for (let round = 1; round <= 1000; round++) leases.sending([heartbeat(round)]);
    expect([leases.isOver(1), leases.isOver(1000)]).toEqual([true, false]);
  });
});
