import { HoldfastError } from "@holdfast/base";
import type { Disk, DiskFile } from "@holdfast/runtime";

/** How the disk behind a folder fails. "syncs": nothing becomes durable any more; "full": there is no room to sync; "all": nothing works. */
export type FolderFailure = "syncs" | "full" | "all";

/** A disk on which folders can be made to fail, as if each were a disk of its own. */
export class FailingFolders {
  /** By the beginning of their paths. */
  readonly failures = new Map<string, FolderFailure>();

  /** The disk as a process shall see it. */
  wrap(disk: Disk): Disk {
    const check = (path: string, isSync = false): void => {
      for (const [folder, failure] of this.failures) {
        if (!path.startsWith(folder) || (failure !== "all" && !isSync)) continue;
        if (failure === "full") throw new HoldfastError("noSpace", `the disk of ${folder} is full`);
        throw new HoldfastError("diskFailed", `the disk of ${folder} failed`);
      }
    };
    const checked = async <T>(path: string, operation: () => Promise<T>, isSync = false): Promise<T> => {
      check(path, isSync);
      return operation();
    };
    return {
      open: (path, mode) => checked(path, async () => this.#file(path, await disk.open(path, mode), checked)),
      readFile: (path) => checked(path, () => disk.readFile(path)),
      rename: (source, target) => checked(source, () => disk.rename(source, target)),
      remove: (path) => checked(path, () => disk.remove(path)),
      makeDirectory: (path) => checked(path, () => disk.makeDirectory(path)),
      list: (path) => checked(path, () => disk.list(path)),
      stat: (path) => checked(path, () => disk.stat(path)),
      syncDirectory: (path) => checked(path, () => disk.syncDirectory(path), true),
      space: (path) => checked(path, () => disk.space(path)),
      lockDirectory: (path) => checked(path, () => disk.lockDirectory(path)),
    };
  }

  #file(
    path: string,
    file: DiskFile,
    checked: <T>(path: string, operation: () => Promise<T>, isSync?: boolean) => Promise<T>,
  ): DiskFile {
    return {
      write: (bytes, positionBytes) => checked(path, () => file.write(bytes, positionBytes)),
      writeParts: (parts, positionBytes) => checked(path, () => file.writeParts(parts, positionBytes)),
      writePartsDurably: (parts, positionBytes) =>
        checked(path, () => file.writePartsDurably(parts, positionBytes), true),
      read: (positionBytes, lengthBytes) => checked(path, () => file.read(positionBytes, lengthBytes)),
      syncData: () => checked(path, () => file.syncData(), true),
      truncate: (sizeBytes) => checked(path, () => file.truncate(sizeBytes)),
      size: () => checked(path, () => file.size()),
      close: () => file.close(),
    };
  }
}
