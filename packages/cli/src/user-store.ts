import { argon2, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { HoldfastError } from "@holdfast/base";

/** An account to keep in the file. */
export interface NewStoredUser {
  readonly email: string;
  readonly password: string;
  readonly phone: string;
  readonly channels: readonly string[];
  readonly isAdmin: boolean;
  /** Replace one that is there. */
  readonly isForced: boolean;
}

interface StoredUser {
  readonly email: string;
  readonly passwordHash: string;
  readonly phone: string;
  readonly channels: readonly string[];
  readonly isAdmin: boolean;
}

const passwordMinLength = 8;
const channelsKnown = ["email", "sms"];
/** OWASP Password Storage Cheat Sheet: the smallest recommended argon2id setting. */
const argon2Memory = 19_456;
const argon2Passes = 2;

/** The accounts file that a cluster imports at its start (`DFS_USER_STORE`). Holds hashes, never passwords. */
export class UserStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds an account. Errors: `invalidArgument`, `nameTaken` (without `isForced`), `precondition` (the file is not one). */
  async add(user: NewStoredUser): Promise<void> {
    const email = user.email.trim().toLowerCase();
    if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 254)
      throw new HoldfastError("invalidArgument", `"${user.email}" is not an e-mail address.`);
    if (user.password.length < passwordMinLength)
      throw new HoldfastError("invalidArgument", `A password has at least ${passwordMinLength} characters.`);
    const unknown = user.channels.find((channel) => !channelsKnown.includes(channel));
    if (unknown !== undefined)
      throw new HoldfastError(
        "invalidArgument",
        `"${unknown}" is not a channel; known are ${channelsKnown.join(", ")}.`,
      );
    const users = await this.#read();
    const others = users.filter((stored) => stored.email !== email);
    if (others.length !== users.length && !user.isForced) {
      throw new HoldfastError(
        "nameTaken",
        `${email} has an account in ${this.#file}. Nothing was changed; use --force to replace its password.`,
      );
    }
    const passwordHash = await hashPassword(user.password);
    await this.#write([
      ...others,
      { email, passwordHash, phone: user.phone, channels: user.channels, isAdmin: user.isAdmin },
    ]);
  }

  async #read(): Promise<readonly StoredUser[]> {
    let text: string;
    try {
      text = await readFile(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    try {
      const parsed = JSON.parse(text) as { version?: number; users?: StoredUser[] };
      if (parsed.version === 1 && Array.isArray(parsed.users)) return parsed.users;
    } catch {
      // Told below, in words.
    }
    throw new HoldfastError("precondition", `${this.#file} is not an accounts file of Holdfast. It was left as it is.`);
  }

  async #write(users: readonly StoredUser[]): Promise<void> {
    await mkdir(path.dirname(path.resolve(this.#file)), { recursive: true });
    const temporary = `${this.#file}.tmp-${randomBytes(4).toString("hex")}`;
    const handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(`${JSON.stringify({ version: 1, users }, undefined, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(temporary, this.#file);
  }
}

async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await promisify(argon2)("argon2id", {
    message: password.normalize("NFC"),
    nonce,
    parallelism: 1,
    tagLength: 32,
    memory: argon2Memory,
    passes: argon2Passes,
  });
  const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${argon2Memory},t=${argon2Passes},p=1$${base64(nonce)}$${base64(tag)}`;
}
