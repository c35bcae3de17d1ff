import { assert } from "@holdfast/base";
import { MemoryStoreData } from "./memory-store.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimDisk, type SimDiskOptions } from "./sim-disk.ts";
import { SimProcess } from "./sim-process.ts";

/** A machine: a disk, stores and a clock that outlive its processes. */
export class SimMachine {
  readonly name: string;
  readonly disk: SimDisk;
  /** Added to the wall clock. Changing it makes the clock jump. */
  wallOffsetMs = 0;
  /** Speed of the machine's clock and timers; 1 = exact. Change it only while no process runs. */
  clockRate = 1;
  /** How often its disk was replaced. */
  wipeCount = 0;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #stores = new Map<string, MemoryStoreData>();
  readonly #processes = new Set<SimProcess>();
  #startCount = 0;

  constructor(name: string, scheduler: Scheduler, random: SeededRandom, options?: SimDiskOptions) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#random = random;
    this.disk = new SimDisk(name, scheduler, random.fork("disk"), options);
  }

  /** Starts a process: its ports work until it is ended. */
  startProcess(): SimProcess {
    this.#startCount++;
    const random = this.#random.fork(`process ${this.#startCount}`);
    const process = new SimProcess({ machine: this, scheduler: this.#scheduler, random, ordinal: this.#startCount });
    this.#processes.add(process);
    process.onEnd(() => this.#processes.delete(process));
    return process;
  }

  /** Processes that run, oldest first. */
  processes(): readonly SimProcess[] {
    return [...this.#processes];
  }

  /** The store under a path; made on first use. */
  store(path: string): MemoryStoreData {
    let store = this.#stores.get(path);
    if (store === undefined) {
      store = new MemoryStoreData();
      this.#stores.set(path, store);
    }
    return store;
  }

  /** Stops every process from running, as SIGSTOP does. */
  pause(): void {
    for (const process of this.#processes) process.pause();
  }

  /** Undoes `pause`. */
  resume(): void {
    for (const process of this.#processes) process.resume();
  }

  /** Kills every process and loses what was not synced. */
  powerCut(): void {
    for (const process of this.processes()) process.crash();
    assert(this.#processes.size === 0, "a power cut leaves no process");
    this.disk.powerCut();
    for (const store of this.#stores.values()) store.powerCut((count) => this.#random.integer(count + 1));
  }

  /** A new, empty disk. */
  wipe(): void {
    assert(this.#processes.size === 0, "a disk is changed while the machine is off");
    this.wipeCount++;
    this.disk.data.wipe();
    this.#stores.clear();
  }
}
