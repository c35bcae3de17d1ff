import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { HoldfastError } from "@holdfast/base";
import type { DirectoryLock } from "../ports/disk.ts";
import { diskCall, toDiskError } from "./disk-errors.ts";

/**
 * Holds a folder by listening on a socket in Linux's abstract namespace, named after the folder's device and inode: the
 * kernel gives the name to one process at a time and takes it back when that process ends, and nothing stays on disk.
 * (Node has no `flock`.) Processes in different network namespaces (containers) do not see each other; elsewhere than on
 * Linux the lock holds within one process only.
 */
export async function lockNodeDirectory(path: string): Promise<DirectoryLock> {
  const found = await diskCall(`lock ${path}`, () => stat(path));
  const name = `${found.dev}-${found.ino}`;
  const taken = (cause?: unknown): HoldfastError =>
    new HoldfastError(
      "precondition",
      `${path} is in use by another process; nothing was changed. Stop that one first, or choose another folder`,
      { cause },
    );
  if (heldHere.has(name)) throw taken();
  heldHere.add(name);
  try {
    const server = process.platform === "linux" ? await listenOn(`\0holdfast-lock-${name}`) : undefined;
    return { release: () => release(name, server) };
  } catch (cause) {
    heldHere.delete(name);
    throw cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"
      ? taken(cause)
      : toDiskError(`lock ${path}`, cause);
  }
}

/** Folders locked by this process. */
const heldHere = new Set<string>();

function listenOn(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ path }, () => {
      // A lock alone is no reason for the process to live on.
      server.unref();
      resolve(server);
    });
  });
}

async function release(name: string, server: Server | undefined): Promise<void> {
  if (!heldHere.delete(name) || server === undefined) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
