import { HoldfastError } from "@holdfast/base";

/** Follows one request of a person or program through all that is done for it. */
export interface RequestScope {
  /** Random 32 hex digits; in every call made for the request. */
  readonly requestId: string;
  /** Aborts when the caller gave up. */
  readonly signal: AbortSignal;
}

/** Errors: cancelled, when the caller gave up. */
export function assertWanted(scope: RequestScope): void {
  if (scope.signal.aborted) throw cancelledError();
}

/** What a request ends with whose caller gave up. */
export function cancelledError(): HoldfastError {
  return new HoldfastError("cancelled", "The caller gave up; nothing became visible.");
}

/** Whatever was thrown, as an error that may cross a boundary. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  return new HoldfastError("internal", "Something went wrong inside the client library; nothing became visible.", {
    cause: thrown,
  });
}
