import { HoldfastError } from "@holdfast/base";

/** Hashes passwords, as a port: argon2id in production, something cheap in the simulator. */
export interface PasswordHasher {
  /** A PHC string with a fresh salt. Errors: tooBusy. */
  hash(password: string): Promise<string>;
  /** Whether the password is the one; false for a hash that cannot be read. Takes as long for a wrong one as for the right one. Errors: tooBusy. */
  verify(password: string, phc: string): Promise<boolean>;
  /** A hash of nothing anyone knows, for accounts that do not exist: verifying against it takes the usual time. */
  readonly dummyHash: string;
}

/** Bounds of `boundedPasswordHasher`. */
export interface PasswordHasherLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
}

/**
 * Runs at most so many hashes at a time and lets so many wait: hashing is meant to be expensive, and must not become the
 * way to stop a gateway. Errors: tooBusy when the queue is full.
 */
export function boundedPasswordHasher(hasher: PasswordHasher, limits: PasswordHasherLimits): PasswordHasher {
  let runningCount = 0;
  const waiting: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (runningCount >= limits.runningMax) {
      if (waiting.length >= limits.waitingMax) {
        throw new HoldfastError(
          "tooBusy",
          "Too many people are signing in right now. Nothing was changed. Try again in a moment.",
        );
      }
      // The slot is handed over by the one that ends, so the count stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else runningCount++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) runningCount--;
      else next();
    }
  };
  return {
    hash: async (password) => inTurn(() => hasher.hash(password)),
    verify: async (password, phc) => inTurn(() => hasher.verify(password, phc)),
    dummyHash: hasher.dummyHash,
  };
}
