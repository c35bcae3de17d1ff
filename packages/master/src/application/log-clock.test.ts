import { describe, expect, it } from "vitest";
import { LogClock } from "./log-clock.ts";

class MovedClock {
  wallNowMs = 1_000_000;
  monotonicNowMs = 0;

  wallMs(): number {
    return this.wallNowMs;
  }

  monotonicMs(): number {
    return this.monotonicNowMs;
  }

  pass(ms: number): void {
    this.wallNowMs += ms;
    this.monotonicNowMs += ms;
  }
}

const withStamp = (stampMs: number): { machine: MovedClock; log: LogClock } => {
  const machine = new MovedClock();
  return { machine, log: new LogClock(machine, stampMs) };
};

describe("LogClock", () => {
  it("is the machine's clock while that is not behind the log", () => {
    const { machine, log } = withStamp(999_000);
    expect(log.wallMs()).toBe(1_000_000);
    machine.pass(5_000);
    expect(log.wallMs()).toBe(1_005_000);
  });

  it("goes on at half the pace from a stamp that is ahead, until the machine's clock is there too", () => {
    const { machine, log } = withStamp(1_010_000);
    expect(log.wallMs()).toBe(1_010_000);
    machine.pass(4_000);
    expect(log.wallMs()).toBe(1_012_000);
    machine.pass(15_999);
    expect(log.wallMs()).toBe(1_019_999);
    machine.pass(10_000);
    expect(log.wallMs()).toBe(1_029_999);
  });

  it("goes on from a batch of another leader whose clock was ahead, though nobody asks for the time", () => {
    const machine = new MovedClock();
    const log = new LogClock(machine, 0);
    log.note(1_748_000);
    machine.pass(10_000);
    expect(log.wallMs()).toBe(1_753_000);
  });

  it("never goes back and never stands still when the machine's clock is set back", () => {
    const { machine, log } = withStamp(0);
    expect(log.wallMs()).toBe(1_000_000);
    machine.wallNowMs -= 3_600_000;
    expect(log.wallMs()).toBe(1_000_000);
    machine.pass(60_000);
    expect(log.wallMs()).toBe(1_030_000);
  });
});
