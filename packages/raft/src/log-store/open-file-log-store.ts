import { assert, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Clock, Disk, Random } from "@holdfast/runtime";
import type { SnapshotMeta } from "../core/entries.ts";
import { FileLogStore, type FileLogStoreParts } from "./file-log-store.ts";
import { drawIdentity, readIdentity, writeIdentity, type LogPlace } from "./identity.ts";
import { chainBytes } from "./record.ts";
import { recoverLog } from "./recover.ts";
import { createSegment, listSegments, segmentPath } from "./segment-files.ts";
import { clusterIdBytesMax, segmentHeaderBytes, type LogIdentity } from "./segment-header.ts";

/** How a file log store is opened. */
export interface FileLogStoreOptions extends LogPlace {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What a new log begins with: index 0, term 0 and the first membership. */
  readonly founding: SnapshotMeta;
  readonly segmentBytesMax: number;
  /** At least so many bytes of the newest entries are in `boot.window`, if the log has them. */
  readonly windowBytesMax: number;
  /** Others hold the same log: entries that cannot be read are `boot.missing` instead of `dataLoss`, where that is safe. */
  readonly isRepairable?: boolean;
  readonly onSynced?: NonNullable<FileLogStoreParts["onSynced"]>;
}

/** A file log store and whose it is. */
export interface OpenedLog {
  readonly store: FileLogStore;
  /** Drawn when the directory was made; a wiped directory gets another. */
  readonly incarnation: Uint8Array;
  /** The directory was made just now. */
  readonly isNew: boolean;
  /** Whether this node knows if it founds a group or joins one; one with a new directory has to ask. */
  readonly isDecided: boolean;
}

/**
 * Opens the log in a folder, or makes a new one in an empty or absent folder.
 * Errors: `wrongCluster` when it is another cluster's or peer's, `dataLoss` when it is damaged before its tail (see `isRepairable`),
 * `precondition` when another process has it open, `diskFailed`, `noSpace`.
 */
export async function openFileLogStore(options: FileLogStoreOptions): Promise<OpenedLog> {
  const clusterIdBytes = new TextEncoder().encode(options.clusterId).length;
  assert(clusterIdBytes > 0 && clusterIdBytes <= clusterIdBytesMax, "a cluster id has 1 to 255 bytes");
  await options.disk.makeDirectory(options.directory);
  const lock = await options.disk.lockDirectory(options.directory);
  const unlock = (): Promise<void> => lock.release();
  try {
    const found = await readIdentity(options.disk, options);
    const identity = found ?? (await createLog(options));
    const recovered = await recoverLog({ ...options, identity });
    const store = new FileLogStore({ ...options, identity, recovered, unlock });
    return { store, incarnation: identity.incarnation, isNew: found === undefined, isDecided: recovered.isDecided };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function createLog(options: FileLogStoreOptions): Promise<LogIdentity> {
  const { disk, directory } = options;
  await removeUnfinishedLog(options);
  const identity = drawIdentity(options, options.random);
  const file = await createSegment(disk, directory, {
    identity,
    sequence: 1,
    nextIndex: 1,
    previousChain: new Uint8Array(chainBytes),
  });
  await file.close();
  await writeIdentity(disk, directory, identity);
  options.logger.info("raft.log_created", { directory });
  return identity;
}

/** A crash while a log was made leaves at most a first segment without a record; more is a log that lost its identity. */
async function removeUnfinishedLog(options: FileLogStoreOptions): Promise<void> {
  const { disk, directory } = options;
  for (const sequence of await listSegments(disk, directory)) {
    const path = segmentPath(directory, sequence);
    const size = (await disk.stat(path))?.sizeBytes ?? 0;
    if (sequence > 1 || size > segmentHeaderBytes) {
      throw new HoldfastError(
        "dataLoss",
        `${directory} holds a log whose identity file is gone; nothing was changed. Restore the file, or move the folder away and let the node join anew`,
      );
    }
    await disk.remove(path);
  }
}
