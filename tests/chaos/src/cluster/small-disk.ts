import { open, rm, statfs } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "./run-command.ts";

const fillerName = "filler-of-the-chaos-suite";

/** A disk that can be filled to the last byte without touching others: a small tmpfs (root only). */
export class SmallDisk {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /** Mounts over an existing folder. */
  static async mount(folder: string, sizeBytes: number): Promise<SmallDisk> {
    await runCommand(["mount", "-t", "tmpfs", "-o", `size=${sizeBytes},mode=0755`, "holdfast-chaos", folder]);
    return new SmallDisk(folder);
  }

  /** Writes until nothing more fits. */
  async fill(): Promise<number> {
    const filler = await open(path.join(this.path, fillerName), "w");
    let writtenBytes = 0;
    try {
      const block = Buffer.alloc(1 << 20, 0x5a);
      const { bavail, bsize } = await statfs(this.path);
      while (writtenBytes < bavail * bsize) writtenBytes += (await filler.write(block)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      await filler.close();
    }
    return writtenBytes;
  }

  async free(): Promise<void> {
    await rm(path.join(this.path, fillerName), { force: true });
  }

  /** What is on it, for whoever looks for the reason of a failure; it is gone with the mount. */
  async keepCopy(): Promise<void> {
    await this.free();
    await runCommand(["cp", "-a", this.path, `${this.path}.kept`]);
  }

  async unmount(): Promise<void> {
    // Lazily: a container that is being taken down may hold it a moment longer.
    await runCommand(["umount", "-l", this.path]);
  }
}
