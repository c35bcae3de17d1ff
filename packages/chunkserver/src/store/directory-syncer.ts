import type { Disk, Timers } from "@holdfast/runtime";

/** What a syncer works with. */
export interface DirectorySyncerOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  /** Ms a request waits for others of the same folder; 0 = not at all. Asked per batch. */
  readonly batchDelayMs: () => number;
}

/**
 * Makes names durable with one directory sync for all requests of the same few milliseconds. A request's promise settles
 * after a sync that began after the request was made.
 */
export class DirectorySyncer {
  readonly #options: DirectorySyncerOptions;
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(options: DirectorySyncerOptions) {
    this.#options = options;
  }

  /** Errors: diskFailed, noSpace. */
  sync(folder: string): Promise<void> {
    const batch = this.#waiting.get(folder);
    if (batch !== undefined) return batch;
    const delayMs = this.#options.batchDelayMs();
    if (delayMs === 0) return this.#options.disk.syncDirectory(folder);
    const started = new Promise<void>((resolve, reject) => {
      this.#options.timers.after(delayMs, () => {
        this.#waiting.delete(folder);
        this.#options.disk.syncDirectory(folder).then(resolve, reject);
      });
    });
    this.#waiting.set(folder, started);
    return started;
  }
}
