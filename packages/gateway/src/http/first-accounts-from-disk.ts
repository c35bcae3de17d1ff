import { readFile } from "node:fs/promises";
import { HoldfastError } from "@holdfast/base";
import type { FirstAccounts } from "../auth/first-accounts.ts";
import { emailFault, normalisedEmail, passwordFault } from "../auth/policy.ts";
import { parseUserStore, type ImportedAccount } from "../auth/user-store.ts";

/** Where the first accounts are described. */
export interface FirstAccountsSource {
  /** Path of the accounts file, or empty. */
  readonly userStore: string;
  /** Both or none. */
  readonly defaultUserEmail: string;
  readonly defaultUserPassword: string;
}

/**
 * Reads who must have an account at the start. An accounts file that is not there means none.
 * Errors: invalidArgument, with every fault, so that a mistake stops the start instead of being found out at sign-in.
 */
export async function readFirstAccounts(source: FirstAccountsSource): Promise<FirstAccounts> {
  return {
    defaultUser: defaultUserOf(source),
    imported: source.userStore === "" ? [] : await readUserStore(source.userStore),
  };
}

function defaultUserOf({ defaultUserEmail, defaultUserPassword }: FirstAccountsSource): FirstAccounts["defaultUser"] {
  if (defaultUserEmail === "" && defaultUserPassword === "") return undefined;
  if (defaultUserEmail === "" || defaultUserPassword === "") {
    throw new HoldfastError(
      "invalidArgument",
      "DFS_DEFAULT_USER_EMAIL and DFS_DEFAULT_USER_PASSWORD go together. Nothing was started; set both or none.",
    );
  }
  const fault = emailFault(defaultUserEmail) ?? passwordFault(defaultUserPassword);
  if (fault !== undefined)
    throw new HoldfastError(
      "invalidArgument",
      `DFS_DEFAULT_USER_EMAIL or DFS_DEFAULT_USER_PASSWORD: ${fault} Nothing was started.`,
    );
  return { email: normalisedEmail(defaultUserEmail), password: defaultUserPassword };
}

async function readUserStore(path: string): Promise<readonly ImportedAccount[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new HoldfastError(
      "invalidArgument",
      `The accounts file ${path} cannot be read. Nothing was started; check DFS_USER_STORE.`,
      { cause },
    );
  }
  const parsed = parseUserStore(text);
  if (parsed.ok) return parsed.value;
  throw new HoldfastError(
    "invalidArgument",
    `The accounts file ${path} is not valid: ${parsed.error.join("; ")}. Nothing was started and no account was changed; mend the file.`,
  );
}
