import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { HoldfastError } from "@holdfast/base";
import { writeFileDurably } from "./write-file-durably.ts";

const secretPattern = /^[0-9a-f]{64}$/;

/**
 * The secret in a file that only this user may read, made at the first call: 64 hex digits from the operating system.
 * Errors: precondition (the file holds something else; it is left as it is).
 */
export async function keepSecretFile(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return writeSecretFile(file);
  if (secretPattern.test(text.trim())) return text.trim();
  throw new HoldfastError(
    "precondition",
    `${file} holds no secret. Nothing was changed. Restore it, or remove it to make a new one.`,
  );
}

/** Writes a new secret, durably and as a whole. */
export async function writeSecretFile(file: string): Promise<string> {
  const secret = randomBytes(32).toString("hex");
  await writeFileDurably(file, `${secret}\n`, 0o600);
  return secret;
}
