import { HoldfastError } from "@holdfast/base";

/** A wire integer of a request. Errors: `invalidArgument` above 2^53 - 1. */
export function requestInteger(value: bigint, name: string): number {
  if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new HoldfastError("invalidArgument", `The field ${name} is out of range.`);
}

/** Rows of a page: the default for 0. Errors: `invalidArgument` above the most. */
export function pageLimit(limit: number, options: { readonly whenZero: number; readonly max: number }): number {
  if (limit === 0) return options.whenZero;
  if (limit <= options.max) return limit;
  throw new HoldfastError("invalidArgument", `A page has at most ${options.max} rows.`);
}
