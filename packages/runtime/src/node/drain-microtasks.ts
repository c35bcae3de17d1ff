/**
 * Returns when no promise reaction is left. The event loop runs all microtasks before the check phase, so one
 * `setImmediate` is enough however long the chains are; nothing else is in flight in a simulated world.
 */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Runs every promise reaction there is, now, and returns. Must be called from a callback of the event loop, never from
 * a promise reaction (there it does nothing). Undefined where this Node has no such thing.
 */
export function microtaskRunner(): (() => void) | undefined {
  // What Node itself calls between two callbacks; not documented, there since version 0.10.
  const { _tickCallback: run } = process as unknown as { readonly _tickCallback?: unknown };
  return typeof run === "function" ? () => void run.call(process) : undefined;
}
