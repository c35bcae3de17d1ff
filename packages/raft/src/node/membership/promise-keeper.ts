import { isPlanted } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import type { LogStore } from "../../log-store/log-store.ts";
import type { MemberDesk } from "./member-desk.ts";

/** What keeping promises needs. */
export interface PromiseKeeperOptions {
  readonly desk: Pick<MemberDesk, "takeChangedPromises" | "arePromisesUrgent">;
  readonly store: LogStore;
  readonly clock: Clock;
}

/** How long promises of others may wait for a write that takes them along. */
export const promisesKeptMs = 250;

/** They ride with a write at most this often: a copy of a directory that was put back is older than that. */
const rideMs = 50;

/** Makes what others promised to this node outlive it, so that one that comes back with less is found out. */
export class PromiseKeeper {
  readonly #options: PromiseKeeperOptions;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: PromiseKeeperOptions) {
    this.#options = options;
  }

  /** What a write that is about to be made should take along, under its own sync: at once what tells of a new term. */
  takeDue(): Uint8Array | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const { desk } = this.#options;
    if (nowMs - this.#lastMs < rideMs && (isPlanted("newTermNotedLate") || !desk.arePromisesUrgent)) return undefined;
    this.#lastMs = nowMs;
    return desk.takeChangedPromises();
  }

  /** Writes what no write has taken along. Resolves when it is durable. Errors: as `LogStore.append`. */
  async flush(): Promise<void> {
    const promises = this.#options.desk.takeChangedPromises();
    if (promises !== undefined) await this.#options.store.append({ promises, append: [], mustSync: true });
    else await this.#options.store.mark();
  }
}
