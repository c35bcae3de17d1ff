import { assert } from "@holdfast/base";
import { drainMicrotasks, microtaskRunner } from "../node/drain-microtasks.ts";
import { hash32, mix32 } from "./seeded-random.ts";

/** A scheduled item. */
export interface Scheduled {
  /** Afterwards it does not run. Idempotent. */
  cancel(): void;
}

const runMicrotasks = microtaskRunner();
/** Then the event loop has its turn, so that a run can be interrupted and can report. */
const sliceItemsMax = 1000;

interface Item {
  readonly atMs: number;
  readonly sequence: number;
  readonly label: string;
  readonly detail: number;
  run: (() => void) | undefined;
}

/**
 * Virtual time and the one queue of everything that will happen: timers, message deliveries, disk completions.
 * Takes the next item by (time, order of scheduling), runs it, lets every promise it settled run to its end, and only
 * then takes the next. So promise order within one item is the only concurrency, and it is deterministic.
 */
export class Scheduler {
  #nowMs = 0;
  #sequence = 0;
  #executedCount = 0;
  #trace = 0x811c9dc5;
  readonly #heap: Item[] = [];
  #onItem: ((atMs: number, label: string) => void) | undefined;

  /** Virtual ms since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Items run so far. */
  get executedCount(): number {
    return this.#executedCount;
  }

  /** A hash over (time, label, detail) of all items run so far: equal runs have equal traces. */
  get traceHash(): string {
    return `${this.#executedCount}-${this.#trace.toString(16).padStart(8, "0")}`;
  }

  /** Calls back before every item; for finding where two runs part. */
  observe(onItem: (atMs: number, label: string) => void): void {
    this.#onItem = onItem;
  }

  /**
   * Runs `run` after `delayMs` of virtual time. `label` and `detail` go into the trace: say who and what, nothing
   * unordered. A number belongs into `detail`: a label that is the same text every time costs nothing to make.
   */
  schedule(delayMs: number, label: string, run: () => void, detail = 0): Scheduled {
    assert(delayMs >= 0 && Number.isFinite(delayMs), "virtual time does not go back");
    const item: Item = { atMs: this.#nowMs + delayMs, sequence: this.#sequence++, label, detail, run };
    this.#push(item);
    return { cancel: () => void (item.run = undefined) };
  }

  /** Runs the next item, if there is one before or at `limitMs`. What an item throws ends the run. */
  async step(limitMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (!this.#runNext(limitMs)) return false;
    await drainMicrotasks();
    return true;
  }

  /** Runs everything due within `durationMs` and moves time there. */
  async runFor(durationMs: number): Promise<void> {
    const end = this.#nowMs + durationMs;
    await this.#run(() => false, end);
    this.#nowMs = end;
  }

  /** Runs until the condition holds; false when it still does not after `limitMs`, or nothing is left to happen. */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    await this.#run(condition, this.#nowMs + limitMs);
    return condition();
  }

  /** One item after another, each with everything that follows from it, until the condition holds or time is over. */
  async #run(condition: () => boolean, limitMs: number): Promise<void> {
    await drainMicrotasks();
    if (runMicrotasks === undefined) {
      while (!condition() && (await this.step(limitMs)));
      return;
    }
    // A turn of the event loop for every item would take a third of the whole run's time.
    while (!(await this.#runSlice(runMicrotasks, condition, limitMs)));
  }

  /** Many items within one callback of the event loop; true when there is nothing more to do. */
  #runSlice(drain: () => void, condition: () => boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          for (let count = 0; count < sliceItemsMax; count++) {
            if (condition() || !this.#runNext(limitMs)) return resolve(true);
            drain();
          }
          resolve(false);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #runNext(limitMs: number): boolean {
    for (;;) {
      const item = this.#heap[0];
      if (item === undefined || item.atMs > limitMs) return false;
      this.#pop();
      const run = item.run;
      if (run === undefined) continue;
      item.run = undefined;
      assert(item.atMs >= this.#nowMs, "virtual time does not go back");
      this.#nowMs = item.atMs;
      this.#executedCount++;
      this.#trace = mix32(mix32(this.#trace, Math.round(item.atMs * 1000)), item.detail);
      this.#trace = hash32(item.label, this.#trace);
      this.#onItem?.(item.atMs, item.label);
      run();
      return true;
    }
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(item);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(item, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function isBefore(left: Item, right: Item): boolean {
  return left.atMs === right.atMs ? left.sequence < right.sequence : left.atMs < right.atMs;
}
