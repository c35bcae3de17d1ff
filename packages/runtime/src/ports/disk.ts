/**
 * A local file system, as a port. Rules of durability are those of POSIX, made explicit so that the simulator can
 * enforce them: written bytes are durable after `syncData`; a created, renamed or removed name is durable after
 * `syncDirectory` of the folder it is in. Before that, a crash may lose it.
 *
 * Paths are absolute with "/" separators. Errors: `HoldfastError` with kind `notFound`, `noSpace` or `diskFailed`
 * (cause: the system's error). After a failed sync nothing may be retried: the data may be gone.
 */
export interface Disk {
  /** Opens a file. `create` makes a new one and fails with `precondition` when it exists; `openOrCreate` does not mind. */
  open(path: string, mode: "read" | "readWrite" | "create" | "openOrCreate"): Promise<DiskFile>;
  /** The whole of a small file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Moves a name over another, atomically. */
  rename(source: string, target: string): Promise<void>;
  /** Removes a file; a missing one is `notFound`. */
  remove(path: string): Promise<void>;
  /** Makes a folder and those above it, and makes their names durable; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a folder, sorted by code unit. A missing folder is `notFound`. */
  list(path: string): Promise<readonly string[]>;
  /** Size and kind, or undefined when there is nothing. */
  stat(path: string): Promise<DiskStat | undefined>;
  /** Makes the names of a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Room on the file system that holds `path`. */
  space(path: string): Promise<DiskSpace>;
  /**
   * Takes an existing folder for one owner among the machine's processes. The lock ends with `release` or with the
   * process, however it ends; it leaves nothing on disk. Errors: `precondition` when somebody has it.
   */
  lockDirectory(path: string): Promise<DirectoryLock>;
}

/** A folder taken. */
export interface DirectoryLock {
  /** Gives the folder back. Idempotent. */
  release(): Promise<void>;
}

/** What `stat` knows. */
export interface DiskStat {
  readonly kind: "file" | "directory";
  readonly sizeBytes: number;
}

/** Room on a file system. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** An open file. Calls on one file may overlap; each is atomic only if the caller does not overlap ranges. */
export interface DiskFile {
  /** Writes all of `bytes` at `positionBytes`. The array must not change until the promise settles. */
  write(bytes: Uint8Array, positionBytes: number): Promise<void>;
  /** Writes the parts one after another from `positionBytes` (one system call where possible). */
  writeParts(parts: readonly Uint8Array[], positionBytes: number): Promise<void>;
  /**
   * As `writeParts`, then `syncData` of what it wrote (and of the size when that grew), in one system call where possible:
   * a second hand-over to another thread costs more than the write itself. Says nothing about earlier writes.
   */
  writePartsDurably(parts: readonly Uint8Array[], positionBytes: number): Promise<void>;
  /** Reads up to `lengthBytes`; shorter only at the end of the file. The result belongs to the caller. */
  read(positionBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Makes all written bytes and the size durable (fdatasync). */
  syncData(): Promise<void>;
  /** Cuts or extends with zeros. */
  truncate(sizeBytes: number): Promise<void>;
  /** Current size. */
  size(): Promise<number>;
  /** Closes; further calls fail. Idempotent. */
  close(): Promise<void>;
}
