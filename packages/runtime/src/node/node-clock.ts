import type { Clock } from "../ports/clock.ts";

/** The machine's clocks. */
export function createNodeClock(): Clock {
  return { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
}
