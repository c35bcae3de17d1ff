/** The page's only door to the clock and to timers, so that everything else takes time as a value. */

/** Milliseconds since 1970, by this machine's clock. */
export function nowMs(): number {
  return Date.now();
}

/** Runs `action` once after `waitMs`; the returned function cancels it. */
export function after(waitMs: number, action: () => void): () => void {
  const timer = setTimeout(action, waitMs);
  return () => clearTimeout(timer);
}

/** Runs `action` every `intervalMs`; the returned function stops it. */
export function every(intervalMs: number, action: () => void): () => void {
  const timer = setInterval(action, intervalMs);
  return () => clearInterval(timer);
}

/** Resolves after `waitMs`, or at once when the signal aborts. Never rejects. */
export function delay(waitMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const cancel = after(waitMs, resolve);
    signal?.addEventListener(
      "abort",
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}

/** Runs `action` when the browser has nothing better to do, within two seconds at most. */
export function whenIdle(action: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(action, { timeout: 2000 });
  else after(200, action);
}
