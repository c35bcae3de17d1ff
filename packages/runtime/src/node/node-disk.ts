import { mkdir, open, readdir, readFile, rename, stat, statfs, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { isHoldfastError, plainBytes } from "@holdfast/base";
import type { Disk } from "../ports/disk.ts";
import { lockNodeDirectory } from "./directory-lock.ts";
import { diskCall } from "./disk-errors.ts";
import { openNodeFile } from "./node-file.ts";

/** The local file system through `node:fs/promises`. */
export function createNodeDisk(): Disk {
  return {
    open: openNodeFile,
    readFile: (path) => diskCall(`read ${path}`, async () => plainBytes(await readFile(path))),
    rename: (source, target) => diskCall(`rename ${source} to ${target}`, () => rename(source, target)),
    remove: (path) => diskCall(`remove ${path}`, () => unlink(path)),
    makeDirectory,
    list: async (path) => {
      const names = await diskCall(`list ${path}`, () => readdir(path));
      return names.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
    },
    stat: statOrUndefined,
    syncDirectory,
    space: async (path) => {
      const found = await diskCall(`measure ${path}`, () => statfs(path));
      return { totalBytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize };
    },
    lockDirectory: lockNodeDirectory,
  };
}

async function statOrUndefined(path: string): ReturnType<Disk["stat"]> {
  try {
    const found = await diskCall(`look at ${path}`, () => stat(path));
    return { kind: found.isDirectory() ? "directory" : "file", sizeBytes: found.size };
  } catch (error) {
    if (isHoldfastError(error, "notFound")) return undefined;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  await diskCall(`sync folder ${path}`, async () => {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** New folders are made durable here, so that nobody has to know which of them were new. */
async function makeDirectory(path: string): Promise<void> {
  const first = await diskCall(`make folder ${path}`, () => mkdir(path, { recursive: true }));
  if (first === undefined) return;
  for (let created = path; ; created = dirname(created)) {
    await syncDirectory(dirname(created));
    if (created === first || created === dirname(created)) return;
  }
}
