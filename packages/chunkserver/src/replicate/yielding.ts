import type { Timer, Timers } from "@holdfast/runtime";
import type { LatencyMeter } from "../measure/latency-meter.ts";
import type { ChunkStore } from "../store/chunk-store.ts";
import { nextQuietMs, nextShare } from "./policy.ts";
import type { YieldPolicy } from "./policy.ts";

/** What yielding works with. */
export interface YieldingOptions {
  readonly timers: Timers;
  readonly meter: Pick<LatencyMeter, "recent">;
  readonly store: Pick<ChunkStore, "status">;
  readonly policy: YieldPolicy;
}

const lookIntervalMs = 500;
const quietLooksMin = 4;

/** How much of its rate copying between nodes may take here, so that readers and writers hardly notice it. */
export class Yielding {
  readonly #options: YieldingOptions;
  #timer: Timer | undefined;
  #share = 1;
  #quietMs: number | undefined;
  #copyingCount = 0;
  /** Looks since copying ended: what it did to latencies must be out of the window before they count as quiet. */
  #quietLooks = quietLooksMin;

  constructor(options: YieldingOptions) {
    this.#options = options;
  }

  /** From `shareMin` to 1. */
  get share(): number {
    return this.#share;
  }

  start(): void {
    this.#timer = this.#options.timers.every(lookIntervalMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Runs one piece of copying. */
  async copying<T>(work: () => Promise<T>): Promise<T> {
    const end = this.begin();
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** One piece of copying begins; the answer ends it. */
  begin(): () => void {
    this.#copyingCount++;
    return () => void this.#copyingCount--;
  }

  #look(): void {
    const { meter, store, policy } = this.#options;
    const { readP95Ms, isActive } = meter.recent();
    this.#quietLooks = this.#copyingCount > 0 ? 0 : this.#quietLooks + 1;
    if (this.#quietLooks >= quietLooksMin) this.#quietMs = nextQuietMs(this.#quietMs, readP95Ms);
    const { activeReadCount, activeWriteCount } = store.status();
    const streamCount = Math.max(0, activeReadCount + activeWriteCount - this.#copyingCount);
    const view = { isActive: isActive || streamCount > 0, streamCount, readP95Ms, quietReadP95Ms: this.#quietMs };
    this.#share = nextShare(this.#share, view, policy);
  }
}
