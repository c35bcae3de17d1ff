import { isHoldfastError } from "@holdfast/base";
import { openFileChunkStore } from "./file-chunk-store.ts";
import type { FileChunkStoreOptions } from "./file-chunk-store-options.ts";
import { MultiDiskStore } from "./multi-disk-store.ts";
import type { StoreDisk } from "./multi-disk-store.ts";

/** A store on several disks: as one on one disk, with a directory for each. */
export interface OpenMultiDiskStoreOptions extends Omit<FileChunkStoreOptions, "dataDirectory"> {
  readonly dataDirectories: readonly string[];
}

/** Opens the disks' stores; one that cannot be opened counts as failed. Errors: those of the disk when none can be opened. */
export async function openMultiDiskStore(options: OpenMultiDiskStoreOptions): Promise<MultiDiskStore> {
  const multi = new MultiDiskStore(options);
  const disks: StoreDisk[] = [];
  const failures: unknown[] = [];
  // What fails while the others are still being opened is told afterwards.
  const failedEarly = new Set<string>();
  let tellFailed = (path: string): void => void failedEarly.add(path);
  for (const path of options.dataDirectories) {
    try {
      const onFailed = (): void => tellFailed(path);
      const store = await openFileChunkStore({
        ...options,
        dataDirectory: path,
        listener: multi.listenerFor(path),
        onFailed,
      });
      disks.push({ path, store });
    } catch (error) {
      if (!isHoldfastError(error, "diskFailed", "notFound")) throw error;
      failures.push(error);
      options.logger.error("chunkserver.disk_failed", { directory: path, step: "open", reason: String(error) });
      disks.push({ path, store: undefined });
    }
  }
  if (failures.length === disks.length) throw failures[0];
  multi.attach(disks);
  tellFailed = (path) => multi.noteFailed(path);
  for (const path of failedEarly) multi.noteFailed(path);
  return multi;
}
