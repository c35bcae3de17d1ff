import { silentLogger } from "@holdfast/observability";
import { createSimWorld } from "@holdfast/runtime/sim";
import type { Disk } from "@holdfast/runtime";
import type { SimDiskOptions, SimMachine, SimProcess, SimWorld } from "@holdfast/runtime/sim";
import { RecordingInventory } from "../store/chunk-store.contract.ts";
import { openFileChunkStore } from "../store/file-chunk-store.ts";
import type { FileChunkStore } from "../store/file-chunk-store.ts";
import type { ChunkStoreLimits } from "../store/file-chunk-store-options.ts";

/** Limits for tests; small enough to be reached. */
export const testLimits: ChunkStoreLimits = {
  capacityBytesMax: undefined,
  activeWritesMax: 32,
  activeReadsMax: 32,
  bufferedBytesMax: 8 * 1024 * 1024,
  concurrentSyncsMax: 4,
  directorySyncDelayMs: 2,
  spaceCheckIntervalMs: 5000,
  trashRetentionMs: 60_000,
};

/** A store on a simulated machine, and what is needed to hurt it. */
export interface StoreInWorld {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly process: SimProcess;
  readonly store: FileChunkStore;
  readonly inventory: RecordingInventory;
}

/** Opens a store in a process of the machine; again after a crash. */
export async function openStoreInWorld(
  world: SimWorld,
  limits: Partial<ChunkStoreLimits> = {},
  diskOptions?: SimDiskOptions & { readonly wrap?: (disk: Disk) => Disk },
): Promise<StoreInWorld> {
  const machine = world.machine("node", diskOptions);
  const process = machine.startProcess();
  const inventory = new RecordingInventory();
  const opened = openFileChunkStore({
    ...{
      disk: diskOptions?.wrap?.(process.disk) ?? process.disk,
      clock: process.clock,
      timers: process.timers,
      random: process.random,
      logger: silentLogger,
    },
    dataDirectory: "/data",
    clusterId: () => "c1",
    listener: inventory,
    limits: { ...testLimits, ...limits },
  });
  return { world, machine, process, inventory, store: await world.settle(opened, 60_000) };
}

/** Runs a body against a fresh store in a fresh world. */
export async function inWorld(
  body: (subject: StoreInWorld) => Promise<void>,
  limits: Partial<ChunkStoreLimits> = {},
  diskOptions?: SimDiskOptions,
): Promise<void> {
  const world = createSimWorld(7);
  const subject = await openStoreInWorld(world, limits, diskOptions);
  await world.settle(body(subject), 600_000);
}
