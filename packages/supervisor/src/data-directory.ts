import { randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { access, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { HoldfastError } from "@holdfast/base";
import { writeFileDurably } from "./write-file-durably.ts";

/** What `<data>/holdfast.json` says about the cluster whose data this is. */
export interface ClusterIdentity {
  /** Of this file's layout. */
  readonly format: 1;
  /** Random, 32 hex digits; in every node's identity and every chunk's footer. */
  readonly clusterId: string;
  /** Fixed for the life of the data: 1, 3 or 5. */
  readonly masters: number;
  /** Fixed for the life of the data. */
  readonly chunkSizeBytes: number;
}

/** A claimed data directory. */
export interface DataDirectory {
  readonly path: string;
  /** `<data>/run`: pid files, logs, the set-up link. */
  readonly runPath: string;
  readonly identity: ClusterIdentity;
  /** Gives the claim back. */
  release(): Promise<void>;
}

const identityName = "holdfast.json";

/**
 * Creates or opens the data directory and claims it for this process. Errors (`precondition`): not writable, foreign
 * content, another cluster shape than asked for, a live instance on the same data.
 */
export async function claimDataDirectory(
  dataPath: string,
  wanted: { readonly masters: number; readonly chunkSizeBytes: number },
): Promise<DataDirectory> {
  const runPath = path.join(dataPath, "run");
  await ensureWritable(dataPath);
  await refuseForeign(dataPath);
  await mkdir(runPath, { recursive: true });
  const lockPath = path.join(runPath, "supervisor.pid");
  await claimLock(lockPath, dataPath);
  try {
    const identity = await readOrCreateIdentity(dataPath, wanted);
    return { path: dataPath, runPath, identity, release: () => rm(lockPath, { force: true }) };
  } catch (error) {
    await rm(lockPath, { force: true });
    throw error;
  }
}

async function ensureWritable(dataPath: string): Promise<void> {
  try {
    await makeFolders(dataPath);
    await access(dataPath, constants.W_OK | constants.X_OK);
    // Root passes access() on a read-only mount; only a write tells.
    const probe = path.join(dataPath, `.probe-${process.pid}`);
    await writeFile(probe, "");
    await rm(probe);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError(
      "precondition",
      `The data directory ${dataPath} cannot be written (${reason}). Nothing was changed. Choose another with --data, or mend its permissions.`,
      { cause },
    );
  }
}

/** One level at a time: on file systems that refuse new names as "not found", Node's recursive mkdir never returns. */
async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const parent = path.dirname(folder);
    if (code !== "ENOENT" || parent === folder || existsSync(parent)) throw error;
    await makeFolders(parent);
    await mkdir(folder);
  }
}

async function refuseForeign(dataPath: string): Promise<void> {
  const names = await readdir(dataPath);
  if (names.length === 0 || names.includes(identityName)) return;
  // A start that was cut off before its identity was written leaves only `run`.
  const foreign = names.filter((name) => name !== "run" && name !== "user_store.json");
  if (foreign.length === 0) return;
  throw new HoldfastError(
    "precondition",
    `The directory ${dataPath} holds something that is not Holdfast's (${foreign.slice(0, 3).join(", ")}). Nothing was changed. Choose an empty one with --data.`,
  );
}

async function claimLock(lockPath: string, dataPath: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(lockPath, "wx");
      await handle.writeFile(`${process.pid}\n`);
      await handle.close();
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      const owner = Number((await readFile(lockPath, "utf8")).trim());
      if (await isOurProcess(owner, "supervisor")) {
        throw new HoldfastError(
          "precondition",
          `Holdfast is already running on ${dataPath} (process ${owner}). Its data is safe. Stop that one first, or choose another directory with --data.`,
        );
      }
      await rm(lockPath, { force: true });
    }
  }
  throw new HoldfastError("precondition", `The lock ${lockPath} is contended. Try again.`);
}

/** Whether a process lives and its command line names `word`; a recycled pid of a stranger does not count. */
export async function isOurProcess(pid: number, word: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).includes(word);
  } catch {
    // No /proc on this system: believe the pid.
    return true;
  }
}

async function readOrCreateIdentity(
  dataPath: string,
  wanted: { readonly masters: number; readonly chunkSizeBytes: number },
): Promise<ClusterIdentity> {
  const file = path.join(dataPath, identityName);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text !== undefined) return checkedIdentity(file, text, wanted.masters);
  const identity: ClusterIdentity = { format: 1, clusterId: randomBytes(16).toString("hex"), ...wanted };
  await writeFileDurably(file, `${JSON.stringify(identity, undefined, 2)}\n`);
  return identity;
}

function checkedIdentity(file: string, text: string, masters: number): ClusterIdentity {
  let found: Partial<ClusterIdentity>;
  try {
    found = JSON.parse(text) as Partial<ClusterIdentity>;
  } catch (cause) {
    throw new HoldfastError("precondition", `${file} is damaged. Nothing was changed. Restore it from a backup.`, {
      cause,
    });
  }
  if (found.format !== 1 || typeof found.clusterId !== "string" || !/^[0-9a-f]{32}$/.test(found.clusterId)) {
    throw new HoldfastError("precondition", `${file} was written by another version of Holdfast. Nothing was changed.`);
  }
  if (found.masters !== masters) {
    throw new HoldfastError(
      "precondition",
      `This data belongs to a cluster of ${found.masters} masters, and ${masters} were asked for. Nothing was changed. Start with --masters ${found.masters}.`,
    );
  }
  return found as ClusterIdentity;
}
