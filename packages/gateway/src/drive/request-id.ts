import { HoldfastError } from "@holdfast/base";

/**
 * The request id that a caller keeps over its retries: 32 hex digits, or a UUID. Undefined when it sent none.
 * Errors: invalidArgument for anything else.
 */
export function wishedRequestId(text: string): string | undefined {
  if (text === "") return undefined;
  const digits = text.replaceAll("-", "").toLowerCase();
  if (/^[0-9a-f]{32}$/.test(digits)) return digits;
  throw new HoldfastError("invalidArgument", "A request id is 32 random hex digits or a UUID. Nothing was changed.");
}
