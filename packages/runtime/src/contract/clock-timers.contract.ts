import { HoldfastError } from "@holdfast/base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../ports/clock.ts";
import type { Timers } from "../ports/timers.ts";

/** Clock and timers under test. */
export interface ClockTimersHarness {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Runs until the promise settles (the simulator advances its time). */
  settle<T>(promise: Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** What every version of the Clock and Timers ports promises. */
export function clockTimersContract(name: string, start: () => Promise<ClockTimersHarness>): void {
  describe(`clock and timers contract: ${name}`, () => {
    let harness: ClockTimersHarness;
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(() => harness.stop());
    const fired = (delayMs: number): Promise<void> =>
      new Promise((resolve) => void harness.timers.after(delayMs, resolve));

    test("the wall clock is in this century, the monotonic one goes on with a timer", async () => {
      expect(harness.clock.wallMs()).toBeGreaterThan(Date.UTC(2025, 0));
      const before = harness.clock.monotonicMs();
      await harness.settle(fired(20));
      // Event loops round timers to whole milliseconds.
      expect(harness.clock.monotonicMs() - before).toBeGreaterThanOrEqual(19);
    });

    test("a callback never runs inside the call that set it", async () => {
      let isInside = true;
      let wasInside: boolean | undefined;
      harness.timers.after(0, () => {
        wasInside = isInside;
      });
      isInside = false;
      await harness.settle(fired(5));
      expect(wasInside).toBe(false);
    });

    test("a timer of 0 ms waits for what needs nothing from outside, and comes before others", async () => {
      const order: string[] = [];
      harness.timers.after(1, () => order.push("1 ms"));
      harness.timers.after(0, () => order.push("0 ms"));
      harness.timers.after(0, () => order.push("cancelled")).cancel();
      const chain = async (): Promise<void> => {
        for (let step = 0; step < 20; step++) await Promise.resolve();
        order.push("continuations");
      };
      const chained = chain();
      await harness.settle(fired(20));
      await chained;
      expect(order).toEqual(["continuations", "0 ms", "1 ms"]);
    });

    test("timers fire in order of their time, equal ones in order of setting", async () => {
      const order: string[] = [];
      harness.timers.after(30, () => order.push("late"));
      harness.timers.after(10, () => order.push("first"));
      harness.timers.after(10, () => order.push("second"));
      await harness.settle(fired(60));
      expect(order).toEqual(["first", "second", "late"]);
    });

    test("a cancelled timer does not fire; cancelling twice or late is fine", async () => {
      let count = 0;
      const timer = harness.timers.after(5, () => count++);
      timer.cancel();
      timer.cancel();
      const done = harness.timers.after(1, () => count++);
      await harness.settle(fired(20));
      done.cancel();
      expect(count).toBe(1);
    });

    test("every beats until it is cancelled, also from its own callback", async () => {
      let count = 0;
      const beat = harness.timers.every(5, () => {
        if (++count === 3) beat.cancel();
      });
      await harness.settle(fired(100));
      expect(count).toBe(3);
    });

    test("sleep ends by time, or by its signal with cancelled", async () => {
      await harness.settle(harness.timers.sleep(5));
      const controller = new AbortController();
      const asleep = harness.timers.sleep(1_000_000, controller.signal).then(
        () => undefined,
        (error: unknown) => error,
      );
      controller.abort();
      expect(await harness.settle(asleep)).toBeInstanceOf(HoldfastError);
      const refused = harness.timers.sleep(1_000_000, controller.signal).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(await harness.settle(refused)).toMatchObject({ kind: "cancelled" });
    });
  });
}
