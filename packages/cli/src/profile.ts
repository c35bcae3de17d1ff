import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { HoldfastError } from "@holdfast/base";

/** Where to go and as whom. */
export interface Profile {
  /** Origin such as "http://127.0.0.1:8080". */
  readonly server: string;
  /** Bearer token. */
  readonly token: string;
}

function profilePath(): string {
  const base = process.env["XDG_CONFIG_HOME"] ?? path.join(homedir(), ".config");
  return path.join(base, "holdfast", "profile.json");
}

/** From `HOLDFAST_SERVER` and `HOLDFAST_TOKEN`, else from the file that `login` wrote. Errors: `unauthenticated`. */
export async function loadProfile(): Promise<Profile> {
  const stored = await readStored();
  const server = process.env["HOLDFAST_SERVER"] ?? stored?.server;
  const token = process.env["HOLDFAST_TOKEN"] ?? (server === stored?.server ? stored?.token : undefined);
  if (server === undefined || token === undefined) {
    throw new HoldfastError(
      "unauthenticated",
      "Not signed in. Run `holdfast login --server URL --email E --password-stdin`, or set HOLDFAST_SERVER and HOLDFAST_TOKEN.",
    );
  }
  return { server: originOf(server), token };
}

/** The server's origin, checked. Errors: `invalidArgument`. */
export function originOf(server: string): string {
  try {
    const url = new URL(server);
    if (url.protocol === "http:" || url.protocol === "https:") return url.origin;
  } catch {
    // Told below, in words.
  }
  throw new HoldfastError(
    "invalidArgument",
    `"${server}" is not the address of a server. Give one such as http://127.0.0.1:8080.`,
  );
}

async function readStored(): Promise<Profile | undefined> {
  try {
    return JSON.parse(await readFile(profilePath(), "utf8")) as Profile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Keeps the profile, readable by its owner only. */
export async function saveProfile(profile: Profile): Promise<void> {
  const file = profilePath();
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(profile, undefined, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}

/** Forgets it. Idempotent. */
export async function removeProfile(): Promise<void> {
  await rm(profilePath(), { force: true });
}
