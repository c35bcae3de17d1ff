import { assert } from "@holdfast/base";
import type { Clock } from "../ports/clock.ts";
import type { Disk } from "../ports/disk.ts";
import type { KeyValueStore } from "../ports/key-value-store.ts";
import type { Random } from "../ports/random.ts";
import type { Timers } from "../ports/timers.ts";
import { sleepWith } from "../sleep.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { createSimDiskView } from "./sim-disk.ts";
import type { SimMachine } from "./sim-machine.ts";

/** Wall time at the start of every world: 2026-01-01T00:00:00Z. */
const worldEpochMs = 1_767_225_600_000;

/** What a process is made of. */
interface SimProcessParts {
  readonly machine: SimMachine;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly ordinal: number;
}

/**
 * A process: ports that stop answering when it ends. After `crash` no timer fires and no pending promise of a port
 * settles, so its code never runs again; what it had handed to the disk may or may not have happened.
 */
export class SimProcess {
  /** "machine#ordinal". */
  readonly name: string;
  readonly machine: SimMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly #timerLabel: string;
  readonly #scheduler: Scheduler;
  readonly #latency: SeededRandom;
  readonly #onEnd: (() => void)[] = [];
  readonly #openStores: string[] = [];
  /** What reached it while it was paused, in order. */
  readonly #held: (() => void)[] = [];
  #isAlive = true;
  #isPaused = false;

  constructor(parts: SimProcessParts) {
    this.machine = parts.machine;
    this.name = `${parts.machine.name}#${parts.ordinal}`;
    this.#timerLabel = `timer ${this.name}`;
    this.random = parts.random;
    this.#scheduler = parts.scheduler;
    this.#latency = parts.random.fork("latency");
    this.clock = {
      wallMs: () => Math.floor(worldEpochMs + this.#localMs() + this.machine.wallOffsetMs),
      monotonicMs: () => this.#localMs(),
    };
    this.timers = this.#createTimers();
    this.disk = createSimDiskView(parts.machine.disk, this);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /**
   * Runs a callback as this process: at once, after it goes on when it is paused, never when it ended. Everything that
   * reaches a process from outside comes through here.
   */
  enter(callback: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused || this.#held.length > 0) this.#held.push(callback);
    else callback();
  }

  /** Stops it from running, as SIGSTOP does: its clock goes on, its connections stand, nothing of it happens. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Lets it go on (SIGCONT): what reached it meanwhile comes first, one after the other. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#held.length > 0) this.#catchUp();
  }

  /** The store under a path of this machine. Errors: `precondition` when it is open. */
  async openStore(path: string): Promise<KeyValueStore> {
    const store = this.machine.store(path).open((isDurable) => this.#storeDelay(path, isDurable));
    this.#openStores.push(path);
    return store;
  }

  /** Calls back when the process ends, in order of registration. */
  onEnd(callback: () => void): void {
    this.#onEnd.push(callback);
  }

  /** Ends it at once, as `kill -9` does. Idempotent. */
  crash(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#held.length = 0;
    this.machine.disk.abandon(this);
    for (const path of this.#openStores) this.machine.store(path).release();
    for (const callback of this.#onEnd) callback();
  }

  #catchUp(): void {
    this.#scheduler.schedule(0, `resumed ${this.name}`, () => {
      if (!this.#isAlive || this.#isPaused) return;
      this.#held.shift()?.();
      if (this.#held.length > 0) this.#catchUp();
    });
  }

  #localMs(): number {
    return this.#scheduler.nowMs * this.machine.clockRate;
  }

  #storeDelay(path: string, isDurable: boolean): Promise<void> {
    const delayMs = this.#latency.between(0.01, 0.05) + (isDurable ? this.#latency.between(0.2, 2) : 0);
    return new Promise((resolve) => {
      this.#scheduler.schedule(delayMs * this.machine.disk.slowness, `store ${this.name} ${path}`, () => {
        this.enter(resolve);
      });
    });
  }

  #createTimers(): Timers {
    const after: Timers["after"] = (delayMs, callback) => {
      assert(delayMs >= 0, "a timer's delay is not negative");
      let isCancelled = false;
      const item = this.#scheduler.schedule(delayMs / this.machine.clockRate, this.#timerLabel, () =>
        this.enter(() => {
          if (!isCancelled) callback();
        }),
      );
      return {
        cancel: () => {
          isCancelled = true;
          item.cancel();
        },
      };
    };
    const every: Timers["every"] = (intervalMs, callback) => {
      assert(intervalMs > 0, "a timer's interval is positive");
      const beat = (): void => {
        timer = after(intervalMs, beat);
        callback();
      };
      let timer = after(intervalMs, beat);
      return { cancel: () => timer.cancel() };
    };
    return { after, every, sleep: (delayMs, signal) => sleepWith(after, delayMs, signal) };
  }
}
