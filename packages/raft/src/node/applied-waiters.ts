import { HoldfastError } from "@holdfast/base";
import type { LogIndex } from "../core/types.ts";

interface Waiter {
  readonly index: LogIndex;
  readonly resolve: () => void;
  readonly reject: (error: HoldfastError) => void;
}

/** Those who wait until an index is applied here. */
export class AppliedWaiters {
  #appliedIndex: LogIndex;
  readonly #waiters = new Set<Waiter>();
  #ending: HoldfastError | undefined;

  constructor(appliedIndex: LogIndex) {
    this.#appliedIndex = appliedIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  /** Resolves when `index` is applied. Errors: `cancelled` by the signal, else what `end` was given. */
  wait(index: LogIndex, signal?: AbortSignal): Promise<void> {
    if (index <= this.#appliedIndex) return Promise.resolve();
    if (this.#ending !== undefined) return Promise.reject(this.#ending);
    const cancelled = (): HoldfastError =>
      new HoldfastError("cancelled", "the caller no longer waits for the entry to be applied");
    if (signal?.aborted === true) return Promise.reject(cancelled());
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(cancelled());
      };
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener("abort", onAbort);
          settle(value);
        };
      const waiter: Waiter = { index, resolve: settled<void>(resolve), reject: settled(reject) };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Everything up to `index` is applied now. */
  advance(index: LogIndex): void {
    this.#appliedIndex = index;
    for (const waiter of this.#waiters) {
      if (waiter.index > index) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Nothing more will be applied here. */
  end(error: HoldfastError): void {
    this.#ending = error;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }
}
