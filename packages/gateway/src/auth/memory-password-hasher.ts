import { createHash } from "node:crypto";
import type { PasswordHasher } from "./password-hasher.ts";

const prefix = "$memory$";

/** A hasher for the simulator and tests: deterministic, instant, and worth nothing as protection. */
export function createMemoryPasswordHasher(): PasswordHasher {
  const hashOf = (password: string): string => prefix + createHash("sha256").update(password).digest("hex");
  return {
    hash: async (password) => hashOf(password),
    verify: async (password, phc) => phc === hashOf(password),
    dummyHash: `${prefix}nobody`,
  };
}
