/** Raised when the program contradicts itself: a bug, never an expected outcome. The process ends. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * States a truth the code relies on. Stays on in production (TigerBeetle style): wrong state must not travel on.
 * `truth` is worded as the invariant that holds.
 */
export function assert(condition: boolean, truth: string): asserts condition {
  if (!condition) throw new AssertionError(`invariant broken: ${truth}`);
}

/** The value, which an invariant says is there. */
export function must<T>(value: T | undefined | null, truth: string): T {
  if (value === undefined || value === null) throw new AssertionError(`invariant broken: ${truth}`);
  return value;
}

/** Makes a `switch` over a union complete at compile time. */
export function exhaustive(value: never): never {
  throw new AssertionError(`invariant broken: unexpected variant ${JSON.stringify(value)}`);
}
