import { expect, test } from "vitest";
import { startRate, timeLeftMs, withSample } from "./rate.ts";

test("a steady flow gives its rate, and time left only once it is stable", () => {
  let rate = startRate(0, 0);
  for (let second = 1; second <= 2; second++) rate = withSample(rate, second * 1000, second * 1000);
  expect(timeLeftMs(rate, 10_000)).toBeUndefined();
  for (let second = 3; second <= 30; second++) rate = withSample(rate, second * 1000, second * 1000);
  expect(rate.bytesPerSecond).toBeCloseTo(1000, 0);
  expect(timeLeftMs(rate, 10_000)).toBeCloseTo(10_000, -1);
});

test("bytes sent again count once, a stall brings the rate down", () => {
  let rate = withSample(startRate(0, 0), 5000, 5000);
  rate = withSample(rate, 4000, 6000);
  expect(rate.bytesPerSecond).toBeLessThan(1000);
  for (let second = 7; second < 60; second++) rate = withSample(rate, 4000, second * 1000);
  expect(rate.bytesPerSecond).toBeLessThan(100);
});

test("two samples at the same moment are one", () => {
  const rate = withSample(startRate(0, 0), 100, 1000);
  expect(withSample(rate, 200, 1000)).toBe(rate);
});
