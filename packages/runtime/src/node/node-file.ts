import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { HoldfastError, plainBytes } from "@holdfast/base";
import type { Disk, DiskFile } from "../ports/disk.ts";
import { diskCall } from "./disk-errors.ts";

const flagsByMode = { read: "r", readWrite: "r+", create: "wx+" } as const;
/** The most buffers one `writev` takes on Linux (IOV_MAX). */
const partsPerCallMax = 1024;
/** Linux: a write through such a file is an fdatasync of what was written too. Elsewhere it may promise less. */
const isWriteSyncKnown = process.platform === "linux";

/** Opens a file of the local file system. */
export async function openNodeFile(path: string, mode: Parameters<Disk["open"]>[1]): Promise<DiskFile> {
  const handle = await diskCall(`open ${path}`, () =>
    mode === "openOrCreate" ? openOrCreate(path) : open(path, flagsByMode[mode]),
  );
  return new NodeFile(path, handle);
}

async function openOrCreate(path: string): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(path, "r+");
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
    try {
      return await open(path, "wx+");
    } catch (error) {
      // Somebody made it in between: open theirs.
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

class NodeFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  /** The same file, opened again so that every write is durable when it returns. */
  #durable: Promise<FileHandle> | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  write(bytes: Uint8Array, positionBytes: number): Promise<void> {
    return this.#call("write", async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, positionBytes + done);
        done += bytesWritten;
      }
    });
  }

  writeParts(parts: readonly Uint8Array[], positionBytes: number): Promise<void> {
    return this.#call("write", () => writeAll(this.#handle, parts, positionBytes));
  }

  writePartsDurably(parts: readonly Uint8Array[], positionBytes: number): Promise<void> {
    return this.#call("write", async () => {
      // More parts than a call takes would be a sync for each.
      if (isWriteSyncKnown && parts.length <= partsPerCallMax) {
        // By its descriptor: the name may be another file's by now.
        this.#durable ??= open(`/proc/self/fd/${this.#handle.fd}`, constants.O_RDWR | constants.O_DSYNC);
        await writeAll(await this.#durable, parts, positionBytes);
      } else {
        await writeAll(this.#handle, parts, positionBytes);
        await this.#handle.datasync();
      }
    });
  }

  read(positionBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#call("read", async () => {
      // Not pooled and not cleared: every byte that is handed out was read into.
      const target = Buffer.allocUnsafeSlow(lengthBytes);
      let done = 0;
      while (done < lengthBytes) {
        const { bytesRead } = await this.#handle.read(target, done, lengthBytes - done, positionBytes + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return plainBytes(target.subarray(0, done));
    });
  }

  syncData(): Promise<void> {
    return this.#call("sync", () => this.#handle.datasync());
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#call("truncate", () => this.#handle.truncate(sizeBytes));
  }

  size(): Promise<number> {
    return this.#call("measure", async () => (await this.#handle.stat()).size);
  }

  close(): Promise<void> {
    this.#closing ??= diskCall(`close ${this.#path}`, () => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    const durable = await this.#durable?.catch(() => undefined);
    await durable?.close();
    await this.#handle.close();
  }

  #call<T>(verb: string, call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      return Promise.reject(new HoldfastError("precondition", `cannot ${verb} ${this.#path}: the file was closed`));
    }
    return diskCall(`${verb} ${this.#path}`, call);
  }
}

async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], positionBytes: number): Promise<void> {
  let position = positionBytes;
  let rest: Uint8Array[] = parts.filter((part) => part.length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest.slice(0, partsPerCallMax), position);
    position += bytesWritten;
    rest = skipBytes(rest, bytesWritten);
  }
}

function skipBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < parts.length; index++) {
    const length = parts[index]?.length ?? 0;
    if (length > left) break;
    left -= length;
  }
  const rest = parts.slice(index);
  const first = rest[0];
  if (first !== undefined && left > 0) rest[0] = first.subarray(left);
  return rest;
}
