/** An abort of one's own that also follows another. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  /** Idempotent. The other signal is not touched. */
  abort(): void;
  /** Stops following. Must be called when the work is over: a signal that lives long would keep everything that followed it. */
  release(): void;
}

/**
 * Makes an abort that follows `parent`. Unlike `AbortSignal.any`, whose signals Node keeps from being collected as long
 * as somebody listens and nobody aborts, a forgotten one goes with its parent (a world that was given up, a lost request).
 */
export function linkAbort(parent: AbortSignal): LinkedAbort {
  const own = new AbortController();
  const follow = (): void => own.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: own.signal,
    abort: () => own.abort(),
    release: () => parent.removeEventListener("abort", follow),
  };
}
