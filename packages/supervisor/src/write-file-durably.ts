import { open, rename } from "node:fs/promises";
import path from "node:path";

/** Replaces a small file as a whole: after a power cut it holds the old or the new content. */
export async function writeFileDurably(file: string, content: string, mode = 0o644): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, "w", mode);
  try {
    // The mode above counts only for a file that was not there.
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const directory = await open(path.dirname(file), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
