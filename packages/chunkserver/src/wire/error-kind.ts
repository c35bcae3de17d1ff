import { errorKinds, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { ErrorKind } from "@holdfast/base";

/** Number of a kind in `holdfast.errors.v1.ErrorKind`, which lists the same words in the same order from 1. */
export function errorKindToWire(kind: ErrorKind): number {
  return errorKinds.indexOf(kind) + 1;
}

/** Kind of a wire number; an unknown one is `internal`. */
export function errorKindFromWire(number: number): ErrorKind {
  return errorKinds[number - 1] ?? "internal";
}

/** Whatever was thrown, as an error that may cross a boundary. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (isHoldfastError(thrown)) return thrown;
  return new HoldfastError("internal", "Something went wrong inside this node; nothing was acknowledged.", { cause: thrown });
}
