import { isHoldfastError } from "@holdfast/base";
import type { Disk, Random } from "@holdfast/runtime";
import { ChunkPaths } from "../store/chunk-paths.ts";
import type { HeldChunk } from "../store/chunk-store.ts";

/** What damaging a copy works with. */
export interface CorruptCopyOptions {
  readonly disk: Disk;
  readonly random: Random;
  /** Where the copy may be. */
  readonly dataDirectories: readonly string[];
}

/**
 * Flips one bit of a copy's data on disk, without telling the store; which bit is left to chance. False when the copy is
 * not there. Errors: those of the disk.
 */
export async function corruptCopy(
  { disk, random, dataDirectories }: CorruptCopyOptions,
  chunk: HeldChunk,
): Promise<boolean> {
  for (const directory of dataDirectories) {
    try {
      const file = await disk.open(new ChunkPaths(directory).file(chunk), "readWrite");
      try {
        const position = Math.floor(random.fraction() * chunk.lengthBytes);
        const [byte = 0] = await file.read(position, 1);
        await file.write(Uint8Array.of(byte ^ (1 << Math.floor(random.fraction() * 8))), position);
        await file.syncData();
        return true;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!isHoldfastError(error, "notFound")) throw error;
    }
  }
  return false;
}
