import { describe, expect, it } from "vitest";
import { LatencyMeter } from "./latency-meter.ts";

function meterAt(): { meter: LatencyMeter; advance: (ms: number) => void } {
  let nowMs = 123_456;
  const meter = new LatencyMeter({ monotonicMs: () => nowMs, wallMs: () => 0 });
  return { meter, advance: (ms) => void (nowMs += ms) };
}

describe("LatencyMeter", () => {
  it("says zero where nothing happened", () => {
    expect(meterAt().meter.summary()).toEqual({
      ...{ writeP50Ms: 0, writeP95Ms: 0, readP50Ms: 0, readP95Ms: 0 },
      ...{ writeBytesPerSecond: 0, readBytesPerSecond: 0 },
    });
  });

  it("knows median and 95th percentile to within its buckets, also over several seconds", () => {
    const { meter, advance } = meterAt();
    for (let index = 0; index < 100; index++) {
      meter.noteWrite(index < 90 ? 2 : 400);
      meter.noteRead(0.4);
      advance(50);
    }
    const { writeP50Ms, writeP95Ms, readP50Ms, readP95Ms } = meter.summary();
    expect(writeP50Ms).toBeGreaterThanOrEqual(2);
    expect(writeP50Ms).toBeLessThan(2.4);
    expect(writeP95Ms).toBeGreaterThanOrEqual(400);
    expect(writeP95Ms).toBeLessThan(470);
    expect(readP50Ms).toBe(readP95Ms);
  });

  it("forgets after ten seconds, also when nothing came since", () => {
    const { meter, advance } = meterAt();
    meter.noteWrite(50);
    meter.addWrittenBytes(1000);
    meter.addReadBytes(500);
    advance(8000);
    expect(meter.summary()).toMatchObject({ writeBytesPerSecond: 100, readBytesPerSecond: 50 });
    advance(3000);
    expect(meter.summary()).toMatchObject({ writeP50Ms: 0, writeBytesPerSecond: 0, readBytesPerSecond: 0 });
  });

  it("takes any duration", () => {
    const { meter } = meterAt();
    for (const durationMs of [0, -1, 1e12]) meter.noteRead(durationMs);
    expect(meter.summary().readP50Ms).toBeGreaterThan(0);
    expect(Number.isFinite(meter.summary().readP95Ms)).toBe(true);
  });
});
