/** Notices that the process did not run: a collection, a paused machine, too much synchronous work. */
export class StallWatch {
  readonly #tickMs: number;
  readonly #stallMs: number;
  #lastMs: number;

  constructor(limits: { readonly tickMs: number; readonly stallMs: number }, nowMs: number) {
    this.#tickMs = limits.tickMs;
    this.#stallMs = limits.stallMs;
    this.#lastMs = nowMs;
  }

  /** Called at every tick; how late it is when that is more than the limit, else undefined. */
  tick(nowMs: number): number | undefined {
    const lateMs = nowMs - this.#lastMs - this.#tickMs;
    this.#lastMs = nowMs;
    return lateMs > this.#stallMs ? lateMs : undefined;
  }
}
