import type { Clock, Timers } from "@holdfast/runtime";
import type { ChunkRange, ChunkStore } from "../store/chunk-store.ts";
import { Turnstile } from "../store/turnstile.ts";
import { Pace } from "./pace.ts";
import type { Yielding } from "./yielding.ts";

/** What reading for other nodes works with. */
export interface BackgroundReadsOptions {
  readonly store: Pick<ChunkStore, "read">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly yielding: Yielding;
  /** Copies given out at once; the others wait. */
  readonly readsMax: number;
  /** What giving out copies may take when somebody else is here, before yielding. */
  readonly bytesPerSecondMax: number;
}

/** Reads for copies on other nodes: few at a time, and slower while people read and write here. */
export class BackgroundReads {
  readonly #options: BackgroundReadsOptions;
  readonly #turnstile: Turnstile;
  readonly #pace: Pace;

  constructor(options: BackgroundReadsOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.readsMax);
    this.#pace = new Pace(options.clock, options.timers);
  }

  /** As `ChunkStore.read`. Errors: those, and cancelled. */
  async *read(range: ChunkRange, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { store, yielding, bytesPerSecondMax } = this.#options;
    const leave = await this.#turnstile.enter();
    const end = yielding.begin();
    try {
      if (signal.aborted) return;
      for await (const piece of store.read(range)) {
        yield piece;
        const { share } = yielding;
        if (share < 1) await this.#pace.pass(piece.length, bytesPerSecondMax * share, signal);
      }
    } finally {
      end();
      leave();
    }
  }
}
