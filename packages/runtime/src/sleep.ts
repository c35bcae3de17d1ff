import { HoldfastError } from "@holdfast/base";
import type { Timer } from "./ports/timers.ts";

/**
 * `Timers.sleep` in terms of `Timers.after`, shared by all versions of the port.
 * Errors: `cancelled` when the signal aborts first (or already did).
 */
export function sleepWith(
  after: (delayMs: number, callback: () => void) => Timer,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = (): HoldfastError =>
      new HoldfastError("cancelled", "the wait was given up before its time was over");
    if (signal?.aborted === true) {
      reject(cancelled());
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(cancelled());
    };
    const timer = after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
