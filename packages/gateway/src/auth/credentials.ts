import { HoldfastError } from "@holdfast/base";
import { emailFault, passwordFault } from "./policy.ts";

/** Errors: invalidArgument. */
export function requirePassword(password: string): void {
  const fault = passwordFault(password);
  if (fault !== undefined) throw new HoldfastError("invalidArgument", `${fault} Nothing was changed.`);
}

/** Errors: invalidArgument. */
export function requireEmail(email: string): void {
  const fault = emailFault(email);
  if (fault !== undefined) throw new HoldfastError("invalidArgument", `${fault} Nothing was changed.`);
}
