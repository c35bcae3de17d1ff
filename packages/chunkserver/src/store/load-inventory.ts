import { isHoldfastError, toHex } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk, Random } from "@holdfast/runtime";
import { chunkLengthFromFileSize } from "./chunk-file.ts";
import type { ChunkIndex } from "./chunk-index.ts";
import { chunkKeyFromFileName } from "./chunk-paths.ts";
import type { ChunkPaths } from "./chunk-paths.ts";

/** What the listing works with. */
export interface LoadInventoryOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
  readonly paths: ChunkPaths;
  readonly index: ChunkIndex;
}

/**
 * Rebuilds the inventory from names and sizes, without opening a file. A file whose size no chunk file has is moved to
 * quarantine; a file with a foreign name is left alone and logged. Every folder is synced once: a name that a killed
 * process renamed but did not sync must be durable before it is reported. Errors: those of the disk.
 */
export async function loadInventory(options: LoadInventoryOptions): Promise<void> {
  const { disk, paths } = options;
  for (const upper of await disk.list(paths.chunks)) {
    for (const folder of await listOrNothing(disk, `${paths.chunks}/${upper}`)) {
      await loadFolder(options, `${paths.chunks}/${upper}/${folder}`);
    }
  }
}

async function loadFolder(options: LoadInventoryOptions, folder: string): Promise<void> {
  const { disk, logger, index, paths } = options;
  const names = await listOrNothing(disk, folder);
  const stats = await Promise.all(names.map((name) => disk.stat(`${folder}/${name}`)));
  for (const [position, name] of names.entries()) {
    const key = chunkKeyFromFileName(name);
    const stat = stats[position];
    if (key === undefined || stat?.kind !== "file" || paths.file(key) !== `${folder}/${name}`) {
      logger.warn("chunkserver.foreign_file", { path: `${folder}/${name}` });
      continue;
    }
    const lengthBytes = chunkLengthFromFileSize(stat.sizeBytes);
    if (lengthBytes === undefined) await moveAside(options, folder, name);
    else index.add({ ...key, lengthBytes });
  }
  if (names.length > 0) await disk.syncDirectory(folder);
}

async function moveAside(options: LoadInventoryOptions, folder: string, name: string): Promise<void> {
  const { disk, logger, paths, random } = options;
  logger.warn("chunkserver.torn_file", { name });
  await disk.rename(`${folder}/${name}`, `${paths.quarantine}/${name}.${toHex(random.bytes(4))}`);
}

async function listOrNothing(disk: Disk, folder: string): Promise<readonly string[]> {
  try {
    return await disk.list(folder);
  } catch (error) {
    // A stray file where a folder is expected; reported one level up by its name when it matters.
    if (isHoldfastError(error, "notFound", "precondition", "diskFailed")) return [];
    throw error;
  }
}
