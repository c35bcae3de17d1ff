import type { Timer, Timers } from "./ports/timers.ts";

/** Work that comes again at an interval and never twice at once: a beat that finds the last one still at work is skipped. */
export class RecurringWork {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #work: () => Promise<void>;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  /** `work` deals with its own failures: one that it passes on is a bug and ends the process. */
  constructor(timers: Timers, intervalMs: number, work: () => Promise<void>) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#work = work;
  }

  /** The first time after one interval. Idempotent. */
  start(): void {
    this.#timer ??= this.#timers.every(this.#intervalMs, () => {
      this.#running ??= this.#work().finally(() => (this.#running = undefined));
    });
  }

  /** Settles when nothing goes on any more. Idempotent. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
  }
}
