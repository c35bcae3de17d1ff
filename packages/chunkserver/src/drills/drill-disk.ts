import type { Disk, DiskFile, Timers } from "@holdfast/runtime";

/** A disk of which every operation takes `delayMs()` longer. */
export function createDrillDisk(disk: Disk, timers: Timers, delayMs: () => number): Disk {
  const later = <T>(operation: () => Promise<T>): Promise<T> => {
    const waitMs = delayMs();
    return waitMs === 0 ? operation() : timers.sleep(waitMs).then(operation);
  };
  return {
    open: (path, mode) => later(async () => slowFile(await disk.open(path, mode), later)),
    readFile: (path) => later(() => disk.readFile(path)),
    rename: (source, target) => later(() => disk.rename(source, target)),
    remove: (path) => later(() => disk.remove(path)),
    makeDirectory: (path) => later(() => disk.makeDirectory(path)),
    list: (path) => later(() => disk.list(path)),
    stat: (path) => later(() => disk.stat(path)),
    syncDirectory: (path) => later(() => disk.syncDirectory(path)),
    space: (path) => later(() => disk.space(path)),
    lockDirectory: (path) => disk.lockDirectory(path),
  };
}

function slowFile(file: DiskFile, later: <T>(operation: () => Promise<T>) => Promise<T>): DiskFile {
  return {
    write: (bytes, positionBytes) => later(() => file.write(bytes, positionBytes)),
    writeParts: (parts, positionBytes) => later(() => file.writeParts(parts, positionBytes)),
    writePartsDurably: (parts, positionBytes) => later(() => file.writePartsDurably(parts, positionBytes)),
    read: (positionBytes, lengthBytes) => later(() => file.read(positionBytes, lengthBytes)),
    syncData: () => later(() => file.syncData()),
    truncate: (sizeBytes) => later(() => file.truncate(sizeBytes)),
    size: () => later(() => file.size()),
    close: () => file.close(),
  };
}
