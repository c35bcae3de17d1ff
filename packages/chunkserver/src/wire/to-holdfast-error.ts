import { HoldfastError, isHoldfastError } from "@holdfast/base";

/** Whatever was thrown, as an error that may cross a boundary. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (isHoldfastError(thrown)) return thrown;
  return new HoldfastError("internal", "Something went wrong inside this node; nothing was acknowledged.", {
    cause: thrown,
  });
}
