import type { Disk } from "@holdfast/runtime";

/**
 * Replaces a small file as a whole, durably: after a crash it holds either the old or the new content. Calls for one
 * path must not overlap. Errors: those of the disk.
 */
export async function writeAtomically(disk: Disk, path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  const bytes = new TextEncoder().encode(content);
  const file = await disk.open(temporary, "openOrCreate");
  try {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.syncData();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(path.slice(0, path.lastIndexOf("/")));
}

/**
 * Writes over a small file, durably, which needs no room. False, and nothing done, unless there is one as long.
 * Errors: those of the disk.
 */
export async function overwrite(disk: Disk, path: string, content: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(content);
  if ((await disk.stat(path))?.sizeBytes !== bytes.length) return false;
  const file = await disk.open(path, "readWrite");
  try {
    await file.write(bytes, 0);
    await file.syncData();
  } finally {
    await file.close();
  }
  return true;
}
