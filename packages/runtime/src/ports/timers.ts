/** A pending timer. */
export interface Timer {
  /** Afterwards the callback does not run. Idempotent. */
  cancel(): void;
}

/** Timers, as a port. Callbacks run one at a time, never inside the call that set them. */
export interface Timers {
  /**
   * Runs `callback` once, `delayMs` (>= 0) from now at the earliest. With 0 it runs when this turn of the event loop ends:
   * after every continuation that needs nothing from outside.
   */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` every `intervalMs` until cancelled; skips beats that were missed. */
  every(intervalMs: number, callback: () => void): Timer;
  /** Resolves after `delayMs`; rejects with `HoldfastError("cancelled")` when the signal aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
