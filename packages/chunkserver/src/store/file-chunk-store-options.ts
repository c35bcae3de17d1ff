import type { Logger } from "@holdfast/observability";
import type { Clock, Disk, Random, Timers } from "@holdfast/runtime";
import type { InventoryListener } from "./chunk-store.ts";

/** What a store on disk works with. */
export interface FileChunkStoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly dataDirectory: string;
  /** The node's cluster; empty before it joined (then nothing can be written). */
  readonly clusterId: () => string;
  readonly listener: InventoryListener;
  readonly limits: ChunkStoreLimits;
  /** Told once, when the disk fails. */
  readonly onFailed?: () => void;
}

/** Limits of a store on disk. */
export interface ChunkStoreLimits {
  readonly capacityBytesMax: number | undefined;
  readonly activeWritesMax: number;
  readonly activeReadsMax: number;
  /** Bytes of all writes that wait for the disk before senders are held back. */
  readonly bufferedBytesMax: number;
  readonly concurrentSyncsMax: number;
  readonly directorySyncDelayMs: number;
  readonly spaceCheckIntervalMs: number;
  readonly trashRetentionMs: number;
}
