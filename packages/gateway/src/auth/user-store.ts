import { refused, ok, type Result } from "@holdfast/base";
import { parseArgon2idHash } from "./phc.ts";
import { emailFault, normalisedEmail } from "./policy.ts";

/** An account of an accounts file. */
export interface ImportedAccount {
  readonly email: string;
  /** PHC string of argon2id. */
  readonly passwordHash: string;
  readonly phone: string;
  readonly channels: readonly string[];
  readonly isAdmin: boolean;
}

const knownChannels: readonly unknown[] = ["email", "sms"];

/**
 * The accounts of a `user_store.json`: `{ "version": 1, "users": [{ "email", "passwordHash", "phone"?, "channels"?, "isAdmin"? }] }`.
 * All faults are told together, each with its place; a file with one fault gives no account.
 */
export function parseUserStore(text: string): Result<readonly ImportedAccount[], readonly string[]> {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (thrown) {
    return refused([`it is not JSON (${thrown instanceof Error ? thrown.message : "unreadable"})`]);
  }
  if (!isRecord(file)) return refused(["it must be an object"]);
  if (file["version"] !== 1) return refused(["version must be 1"]);
  const users = file["users"];
  if (!Array.isArray(users)) return refused(["users must be a list"]);
  const faults: string[] = [];
  const accounts = users.map((user: unknown, index) => accountOf(user, `users[${index}]`, faults));
  const emails = new Set<string>();
  for (const [index, account] of accounts.entries()) {
    if (account.email !== "" && emails.has(account.email))
      faults.push(`users[${index}].email: ${account.email} is there twice`);
    emails.add(account.email);
  }
  return faults.length > 0 ? refused(faults) : ok(accounts);
}

function accountOf(user: unknown, place: string, faults: string[]): ImportedAccount {
  if (!isRecord(user)) {
    faults.push(`${place} must be an object`);
    return { email: "", passwordHash: "", phone: "", channels: [], isAdmin: false };
  }
  const email = typeof user["email"] === "string" ? user["email"] : "";
  if (emailFault(email) !== undefined) faults.push(`${place}.email must be an e-mail address`);
  const passwordHash = typeof user["passwordHash"] === "string" ? user["passwordHash"] : "";
  if (parseArgon2idHash(passwordHash) === undefined)
    faults.push(`${place}.passwordHash must be an argon2id hash ($argon2id$v=19$...)`);
  const phone = user["phone"] ?? "";
  if (typeof phone !== "string" || (phone !== "" && !/^\+[1-9][0-9]{5,14}$/.test(phone)))
    faults.push(`${place}.phone must look like +4915112345678`);
  const channels = user["channels"] ?? [];
  const isListed = Array.isArray(channels) && channels.every((channel) => knownChannels.includes(channel));
  if (!isListed) faults.push(`${place}.channels must be a list of "email" and "sms"`);
  const isAdmin = user["isAdmin"] ?? false;
  if (typeof isAdmin !== "boolean") faults.push(`${place}.isAdmin must be true or false`);
  return {
    email: normalisedEmail(email),
    passwordHash,
    phone: typeof phone === "string" ? phone : "",
    channels: isListed ? (channels as string[]) : [],
    isAdmin: isAdmin === true,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
