import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Disk } from "@holdfast/runtime";
import { overwrite, writeAtomically } from "./write-atomically.ts";

/** Everything a chunkserver makes in a data directory; `lost+found` belongs to the file system of a fresh disk. */
const ownNames = new Set([
  ...["node.json", "term.json", "scrub.json", "lock", "chunks", "tmp", "trash", "quarantine", "log", "lost+found"],
  ...["node.json.new", "term.json.new", "scrub.json.new", "certificate.pem", "certificate.pem.new", "holdfast.ballast"],
]);

/** A small file that every data directory has a copy of. */
export interface FoundFile {
  readonly directory: string;
  readonly text: string;
}

/**
 * A node's data directories, one for each of its disks. Its small files are kept in all of them, so that any one disk can
 * be replaced by an empty folder.
 */
export class DataDirectories {
  readonly paths: readonly string[];
  readonly #disk: Disk;

  constructor(disk: Disk, paths: readonly string[]) {
    this.#disk = disk;
    this.paths = paths;
  }

  /**
   * The copies of a small file that can be read, in the order of the directories.
   * Errors: those of the disk when no directory can be read at all.
   */
  async read(name: string): Promise<readonly FoundFile[]> {
    const found: FoundFile[] = [];
    const failures: unknown[] = [];
    for (const directory of this.paths) {
      try {
        const bytes = await this.#disk.readFile(`${directory}/${name}`);
        found.push({ directory, text: new TextDecoder().decode(bytes) });
      } catch (error) {
        if (!isHoldfastError(error, "notFound")) failures.push(error);
      }
    }
    if (failures.length === this.paths.length) throw failures[0];
    return found;
  }

  /** Replaces a small file in every directory that can be written. Errors: those of the disk when none can. */
  async write(name: string, content: string): Promise<void> {
    await this.#writeAll(name, (path) => writeAtomically(this.#disk, path, content));
  }

  /**
   * As `write`, also on a full disk, where there is no room beside the old file: there it is written over, if it is as
   * long. Only for what fits into a sector, which a disk writes as a whole.
   */
  async replaceOrOverwrite(name: string, content: string): Promise<void> {
    await this.#writeAll(name, async (path) => {
      try {
        await writeAtomically(this.#disk, path, content);
      } catch (error) {
        if (!isHoldfastError(error, "noSpace") || !(await overwrite(this.#disk, path, content))) throw error;
      }
    });
  }

  async #writeAll(name: string, write: (path: string) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (const directory of this.paths) {
      try {
        await write(`${directory}/${name}`);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === this.paths.length) throw failures[0];
  }

  /**
   * Refuses a directory that has no identity but something in it. Errors: precondition (in words what is there).
   * A directory that cannot be read is left to whoever opens it.
   */
  async assertOwn(directory: string): Promise<void> {
    const names = await this.#list(directory);
    if (names.includes("node.json")) return;
    const foreign = names.filter((name) => !ownNames.has(name));
    if (foreign.length > 0) {
      throw new HoldfastError(
        "precondition",
        `${directory} holds something that is not a chunkserver's (${foreign.slice(0, 3).join(", ")}). Nothing was changed. Choose an empty directory.`,
      );
    }
    if (names.includes("chunks") && (await this.#list(`${directory}/chunks`)).length > 0) {
      throw new HoldfastError(
        "precondition",
        `${directory} holds chunks but has no node.json, so it cannot be told whose they are. Nothing was changed. Restore node.json, or choose an empty directory.`,
      );
    }
  }

  async #list(path: string): Promise<readonly string[]> {
    try {
      return await this.#disk.list(path);
    } catch (error) {
      if (isHoldfastError(error, "notFound", "diskFailed")) return [];
      throw error;
    }
  }
}
