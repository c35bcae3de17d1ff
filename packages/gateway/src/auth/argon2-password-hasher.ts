import { argon2, timingSafeEqual } from "node:crypto";
import type { Random } from "@holdfast/runtime";
import { boundedPasswordHasher, type PasswordHasher } from "./password-hasher.ts";
import { formatArgon2idHash, parseArgon2idHash, type Argon2idHash } from "./phc.ts";

/** Source: OWASP Password Storage Cheat Sheet, the least it recommends for Argon2id. */
const cost = { memoryKiB: 19 * 1024, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const tagBytes = 32;
const limits = { runningMax: 2, waitingMax: 64 } as const;

/** Argon2id over Node's own OpenSSL: 19 MiB, two passes, at most two at a time. */
export function createArgon2PasswordHasher(random: Random): PasswordHasher {
  const dummy = { ...cost, salt: random.bytes(saltBytes), tag: random.bytes(tagBytes) };
  return boundedPasswordHasher(
    {
      async hash(password) {
        const salt = random.bytes(saltBytes);
        return formatArgon2idHash({
          ...cost,
          salt,
          tag: await deriveTag(password, { ...cost, salt, tag: new Uint8Array(tagBytes) }),
        });
      },
      async verify(password, phc) {
        const stored = parseArgon2idHash(phc);
        // An unreadable hash costs the same time, so that it cannot be told from a wrong password.
        const tag = await deriveTag(password, stored ?? dummy);
        return stored !== undefined && timingSafeEqual(tag, stored.tag);
      },
      dummyHash: formatArgon2idHash(dummy),
    },
    limits,
  );
}

/** The tag of a password under the cost, salt and tag length of a hash. */
export async function deriveTag(password: string, hash: Argon2idHash): Promise<Uint8Array> {
  const parameters = {
    message: password.normalize("NFC"),
    nonce: hash.salt,
    memory: hash.memoryKiB,
    passes: hash.passes,
    parallelism: hash.parallelism,
    tagLength: hash.tag.length,
  };
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (fault, tag) => {
      if (fault === null) resolve(new Uint8Array(tag));
      else reject(fault);
    });
  });
}
