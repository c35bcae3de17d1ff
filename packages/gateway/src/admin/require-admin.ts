import { HoldfastError } from "@holdfast/base";
import type { Caller } from "../drive/ports.ts";

/** Errors: denied, for everybody but administrators. */
export function requireAdmin(caller: Caller): void {
  if (!caller.isAdmin) throw new HoldfastError("denied", "Only administrators may do this. Nothing was changed.");
}
