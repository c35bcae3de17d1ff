import { Scheduler } from "./scheduler.ts";
import { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
import type { SimDiskOptions } from "./sim-disk.ts";
import { SimMachine } from "./sim-machine.ts";

/** A whole cluster's time, machines and luck, from one seed. */
export interface SimWorld {
  readonly seed: number | string;
  readonly scheduler: Scheduler;
  /** For the test's own draws; independent of what the processes draw. */
  readonly random: SeededRandom;
  /** Virtual ms since the world began. */
  nowMs(): number;
  /** The machine of that name, made on first use. */
  machine(name: string, options?: SimDiskOptions): SimMachine;
  /** All machines, in order of making. */
  machines(): readonly SimMachine[];
  /** Runs everything due within `durationMs`. */
  runFor(durationMs: number): Promise<void>;
  /** Runs until the condition holds; false when `limitMs` passed first. */
  runUntil(condition: () => boolean, limitMs: number): Promise<boolean>;
  /** Runs until the promise settles and hands on its outcome. Fails when it does not settle within `limitMs`. */
  settle<T>(promise: Promise<T>, limitMs: number): Promise<T>;
  /** Equal runs have equal hashes. */
  traceHash(): string;
}

/** Makes an empty world. The same seed and the same calls give the same run, item by item. */
export function createSimWorld(seed: number | string): SimWorld {
  const scheduler = new Scheduler();
  const root = createSeededRandom(seed);
  const machines = new Map<string, SimMachine>();
  return {
    seed,
    scheduler,
    random: root.fork("test"),
    nowMs: () => scheduler.nowMs,
    machine: (name, options) => {
      let machine = machines.get(name);
      if (machine === undefined) {
        machine = new SimMachine(name, scheduler, root.fork(`machine ${name}`), options);
        machines.set(name, machine);
      }
      return machine;
    },
    machines: () => [...machines.values()],
    runFor: (durationMs) => scheduler.runFor(durationMs),
    runUntil: (condition, limitMs) => scheduler.runUntil(condition, limitMs),
    settle: (promise, limitMs) => settle(scheduler, promise, limitMs),
    traceHash: () => scheduler.traceHash,
  };
}

async function settle<T>(scheduler: Scheduler, promise: Promise<T>, limitMs: number): Promise<T> {
  let isSettled = false;
  const mark = (): void => void (isSettled = true);
  promise.then(mark, mark);
  if (!(await scheduler.runUntil(() => isSettled, limitMs))) {
    throw new Error(`the promise did not settle within ${limitMs} ms of virtual time (now ${scheduler.nowMs})`);
  }
  return promise;
}
