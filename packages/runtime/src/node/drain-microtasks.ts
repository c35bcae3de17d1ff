/**
 * Returns when no promise reaction is left. The event loop runs all microtasks before the check phase, so one
 * `setImmediate` is enough however long the chains are; nothing else is in flight in a simulated world.
 */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
