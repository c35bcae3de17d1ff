import { isHoldfastError } from "@holdfast/base";
import type { Disk, DiskFile } from "../ports/disk.ts";
import type { Ballast } from "./ballast.ts";

/**
 * The same disk; a write that finds it full has the ballast given away and is made once more, as a whole and in the same
 * place. A sync is never repeated: after it failed nobody knows what is on the disk.
 */
export function diskWithBallast(disk: Disk, ballast: Pick<Ballast, "give">): Disk {
  const withRoom = async <T>(write: () => Promise<T>): Promise<T> => {
    try {
      return await write();
    } catch (error) {
      if (!isHoldfastError(error, "noSpace")) throw error;
      await ballast.give();
      return write();
    }
  };
  const withRoomInFile = (file: DiskFile): DiskFile => ({
    write: (bytes, positionBytes) => withRoom(() => file.write(bytes, positionBytes)),
    writeParts: (parts, positionBytes) => withRoom(() => file.writeParts(parts, positionBytes)),
    writePartsDurably: (parts, positionBytes) => withRoom(() => file.writePartsDurably(parts, positionBytes)),
    truncate: (sizeBytes) => withRoom(() => file.truncate(sizeBytes)),
    read: (positionBytes, lengthBytes) => file.read(positionBytes, lengthBytes),
    syncData: () => file.syncData(),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    open: async (path, mode) => withRoomInFile(await withRoom(() => disk.open(path, mode))),
    makeDirectory: (path) => withRoom(() => disk.makeDirectory(path)),
    rename: (source, target) => withRoom(() => disk.rename(source, target)),
    readFile: (path) => disk.readFile(path),
    remove: (path) => disk.remove(path),
    list: (path) => disk.list(path),
    stat: (path) => disk.stat(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    space: (path) => disk.space(path),
    lockDirectory: (path) => disk.lockDirectory(path),
  };
}
