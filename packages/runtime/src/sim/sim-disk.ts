import { HoldfastError } from "@holdfast/base";
import type { Disk, DiskFile } from "../ports/disk.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimDiskData } from "./sim-disk-data.ts";
import type { SimInode } from "./sim-inode.ts";

/** How long disk operations take, in ms of virtual time, and how much fits. */
export interface SimDiskOptions {
  readonly capacityBytes?: number;
  /** Any operation, uniform. Default 0.02 to 0.1. */
  readonly operationMs?: readonly [min: number, max: number];
  /** Added by syncs, uniform. Default 0.2 to 2. */
  readonly syncMs?: readonly [min: number, max: number];
  /** Per MiB moved; one transfer after the other, so that everybody who uses the disk shares it. Default 0.5. */
  readonly perMiBMs?: number;
}

/** The process on whose behalf a disk is used; a dead one gets no answers. */
export interface DiskUser {
  readonly name: string;
  readonly isAlive: boolean;
  /** Runs a callback as this user; see `SimProcess.enter`. */
  enter(callback: () => void): void;
}

interface Operation {
  readonly user: DiskUser;
  /** Takes effect; what it returns tells the user. */
  readonly finish: () => () => void;
  readonly effect: () => unknown;
}

/** One machine's disk: outlives its processes, loses at a power cut what was not synced, and fails as it is told. */
export class SimDisk {
  readonly data = new SimDiskData();
  /** Factor on all latencies. */
  slowness = 1;
  /** Added to every sync, in ms. */
  syncStallMs = 0;
  /** Bytes that something else takes; fills the disk up without writing. */
  foreignBytes = 0;
  /** Every operation fails with `diskFailed`. */
  isFailed = false;
  /** The next so many syncs fail with `diskFailed` and lose what they should have made durable. */
  failingSyncCount = 0;
  /** After a failed sync everything fails, as on a file system that turned read-only and whose device is gone. */
  failsAfterSyncFault = false;
  readonly #name: string;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #options: Required<SimDiskOptions>;
  readonly #inFlight = new Set<Operation>();
  readonly #lockOwners = new Map<string, DiskUser>();
  #stalled: Operation[] | undefined;
  /** When the last transfer asked for is over. */
  #busyUntilMs = 0;

  constructor(name: string, scheduler: Scheduler, random: SeededRandom, options: SimDiskOptions = {}) {
    this.#name = name;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#options = {
      capacityBytes: options.capacityBytes ?? 1024 ** 3,
      operationMs: options.operationMs ?? [0.02, 0.1],
      syncMs: options.syncMs ?? [0.2, 2],
      perMiBMs: options.perMiBMs ?? 0.5,
    };
  }

  get capacityBytes(): number {
    return this.#options.capacityBytes;
  }

  /** Nothing completes until `resume`. */
  stall(): void {
    this.#stalled ??= [];
  }

  /** Completes what waited. */
  resume(): void {
    const waiting = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const operation of waiting) this.#complete(operation);
  }

  /** Damages one bit of a file. Errors: `notFound`. */
  corrupt(path: string, positionBytes: number): void {
    this.data.file(path).flipBit(positionBytes);
  }

  /** The process died: of what it had in flight, some happened and some did not. */
  abandon(user: DiskUser): void {
    for (const operation of [...this.#inFlight]) {
      if (operation.user !== user) continue;
      this.#inFlight.delete(operation);
      if (this.#random.chance(0.5)) continue;
      try {
        operation.effect();
      } catch (error) {
        // Nobody is left to hear of a refusal; anything else is a bug of the simulator.
        if (!(error instanceof HoldfastError)) throw error;
      }
    }
  }

  /** All processes must have been ended before. */
  powerCut(): void {
    this.#stalled = undefined;
    this.data.powerCut(this.#random);
  }

  /** Takes a folder for a user, unless another one that is alive has it. Errors: `precondition`, `notFound`. */
  lock(path: string, user: DiskUser): void {
    if (this.data.stat(path) === undefined) throw new HoldfastError("notFound", `there is no ${path}`);
    if (this.#lockOwners.get(path)?.isAlive === true) {
      throw new HoldfastError(
        "precondition",
        `${path} is in use by another process; nothing was changed. Stop that one first`,
      );
    }
    this.#lockOwners.set(path, user);
  }

  /** Gives a folder back. */
  unlock(path: string, user: DiskUser): void {
    if (this.#lockOwners.get(path) === user) this.#lockOwners.delete(path);
  }

  /** Waits for one operation's latency, then takes effect and settles; never, when the user died before. */
  operate<T>(user: DiskUser, label: string, cost: { isSync?: boolean; bytes?: number }, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!user.isAlive) return;
      const operation: Operation = {
        user,
        effect,
        finish: () => {
          try {
            if (this.isFailed)
              throw new HoldfastError(
                "diskFailed",
                `the disk of ${this.#name} failed; what was not synced may be gone`,
              );
            const value = effect();
            return () => resolve(value);
          } catch (error) {
            return () => reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      };
      this.#inFlight.add(operation);
      this.#scheduler.schedule(this.#latencyMs(cost), `disk ${user.name} ${label}`, () => this.#complete(operation));
    });
  }

  /** Of a sync: fails when it was told to. */
  takeSyncFault(inode: SimInode | undefined): void {
    if (this.failingSyncCount === 0) return;
    this.failingSyncCount--;
    if (this.failsAfterSyncFault) this.isFailed = true;
    inode?.failSync();
    throw new HoldfastError(
      "diskFailed",
      `the disk of ${this.#name} failed a sync; what was written before may be gone`,
    );
  }

  /** Writes what fits. Errors: `noSpace`. */
  put(inode: SimInode, bytes: Uint8Array, positionBytes: number): void {
    const growthBytes = Math.max(0, positionBytes + bytes.length - inode.sizeBytes);
    if (growthBytes > 0 && growthBytes > this.freeBytes()) {
      inode.write(bytes.subarray(0, this.#random.integer(bytes.length)), positionBytes);
      throw new HoldfastError("noSpace", `the disk of ${this.#name} is full; free some space`);
    }
    inode.write(bytes, positionBytes);
  }

  /** Room left. */
  freeBytes(): number {
    return Math.max(0, this.#options.capacityBytes - this.data.usedBytes() - this.foreignBytes);
  }

  #complete(operation: Operation): void {
    if (!this.#inFlight.has(operation)) return;
    if (this.#stalled !== undefined) {
      this.#stalled.push(operation);
      return;
    }
    this.#inFlight.delete(operation);
    operation.user.enter(operation.finish());
  }

  #latencyMs(cost: { isSync?: boolean; bytes?: number }): number {
    const { operationMs, syncMs, perMiBMs } = this.#options;
    const sync = cost.isSync === true ? this.#random.between(...syncMs) + this.syncStallMs / this.slowness : 0;
    const nowMs = this.#scheduler.nowMs;
    const transferMs = ((cost.bytes ?? 0) / 1024 ** 2) * perMiBMs * this.slowness;
    const startMs = Math.max(nowMs, this.#busyUntilMs);
    if (transferMs > 0) this.#busyUntilMs = startMs + transferMs;
    const waitMs = transferMs > 0 ? startMs + transferMs - nowMs : 0;
    return waitMs + (this.#random.between(...operationMs) + sync) * this.slowness;
  }
}

/** The disk as one process sees it. */
export function createSimDiskView(disk: SimDisk, user: DiskUser): Disk {
  const data = disk.data;
  const run = <T>(label: string, effect: () => T): Promise<T> => disk.operate(user, label, {}, effect);
  return {
    open: (path, mode) =>
      run(`open ${path}`, () => {
        const isNew = mode === "create" || (mode === "openOrCreate" && data.stat(path) === undefined);
        return new SimFile(disk, user, path, isNew ? data.create(path) : data.file(path));
      }),
    readFile: (path) =>
      run(`read ${path}`, () => {
        const inode = data.file(path);
        return inode.read(0, inode.sizeBytes);
      }),
    rename: (source, target) => run(`rename ${source} ${target}`, () => data.rename(source, target)),
    remove: (path) => run(`remove ${path}`, () => data.remove(path)),
    makeDirectory: (path) => run(`mkdir ${path}`, () => data.makeDirectory(path)),
    list: (path) => run(`list ${path}`, () => data.list(path)),
    stat: (path) => run(`stat ${path}`, () => data.stat(path)),
    syncDirectory: (path) =>
      disk.operate(user, `syncdir ${path}`, { isSync: true }, () => {
        disk.takeSyncFault(undefined);
        data.syncDirectory(path);
      }),
    lockDirectory: async (path) => {
      await run(`lock ${path}`, () => disk.lock(path, user));
      return { release: async () => disk.unlock(path, user) };
    },
    space: () =>
      run("space", () => ({
        totalBytes: disk.capacityBytes,
        freeBytes: disk.freeBytes(),
      })),
  };
}

class SimFile implements DiskFile {
  readonly #disk: SimDisk;
  readonly #user: DiskUser;
  readonly #path: string;
  readonly #inode: SimInode;
  #isClosed = false;

  constructor(disk: SimDisk, user: DiskUser, path: string, inode: SimInode) {
    this.#disk = disk;
    this.#user = user;
    this.#path = path;
    this.#inode = inode;
  }

  write(bytes: Uint8Array, positionBytes: number): Promise<void> {
    return this.#run("write", { bytes: bytes.length }, () => this.#disk.put(this.#inode, bytes, positionBytes));
  }

  writeParts(parts: readonly Uint8Array[], positionBytes: number): Promise<void> {
    const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0);
    return this.#run("write", { bytes: lengthBytes }, () => {
      let position = positionBytes;
      for (const part of parts) {
        this.#disk.put(this.#inode, part, position);
        position += part.length;
      }
    });
  }

  /** Two operations, so that a crash may come in between. */
  async writePartsDurably(parts: readonly Uint8Array[], positionBytes: number): Promise<void> {
    await this.writeParts(parts, positionBytes);
    await this.syncData();
  }

  read(positionBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#run("read", { bytes: lengthBytes }, () => this.#inode.read(positionBytes, lengthBytes));
  }

  syncData(): Promise<void> {
    return this.#run("sync", { isSync: true }, () => {
      this.#disk.takeSyncFault(this.#inode);
      this.#inode.sync();
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#run("truncate", {}, () => this.#inode.truncate(sizeBytes));
  }

  size(): Promise<number> {
    return this.#run("size", {}, () => this.#inode.sizeBytes);
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const closed = this.#run("close", {}, () => undefined);
    this.#isClosed = true;
    return closed;
  }

  #run<T>(verb: string, cost: { isSync?: boolean; bytes?: number }, effect: () => T): Promise<T> {
    if (this.#isClosed)
      return Promise.reject(new HoldfastError("precondition", `cannot ${verb} ${this.#path}: the file was closed`));
    return this.#disk.operate(this.#user, `${verb} ${this.#path}`, cost, effect);
  }
}
