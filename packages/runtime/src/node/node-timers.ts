import { assert } from "@holdfast/base";
import type { Timers } from "../ports/timers.ts";
import { sleepWith } from "../sleep.ts";

/** Node's longest timer (2^31 - 1 ms, 24 days); longer ones fire at once, so they are refused. */
const delayMsMax = 2_147_483_647;

/** Timers of the event loop. */
export function createNodeTimers(): Timers {
  const after: Timers["after"] = (delayMs, callback) => {
    assert(delayMs >= 0 && delayMs <= delayMsMax, "a timer's delay is between 0 ms and 24 days");
    // A timer of 0 ms would take a whole one.
    if (delayMs === 0) {
      const soon = setImmediate(callback);
      return { cancel: () => clearImmediate(soon) };
    }
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  };
  return {
    after,
    every: (intervalMs, callback) => {
      assert(intervalMs > 0 && intervalMs <= delayMsMax, "a timer's interval is between 1 ms and 24 days");
      const handle = setInterval(callback, intervalMs);
      return { cancel: () => clearInterval(handle) };
    },
    sleep: (delayMs, signal) => sleepWith(after, delayMs, signal),
  };
}
