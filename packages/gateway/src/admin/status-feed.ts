import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  GetClusterStatusRequestSchema,
  type GetClusterStatusResponse,
  type WatchResponse,
} from "@holdfast/proto/master/v1/master";
import type { Timer, Timers } from "@holdfast/runtime";
import { Mailbox } from "../drive/mailbox.ts";
import type { Masters } from "../drive/ports.ts";

const intervalMs = 1000;
const timeoutMs = 3000;
const failuresMax = 5;
const watchersMax = 200;

/**
 * The cluster's status, asked once for everyone who looks: every second while somebody does, and at once when a node
 * changed. A slow watcher gets the newest and misses those between.
 */
export class StatusFeed {
  readonly #masters: Masters;
  readonly #timers: Timers;
  readonly #watchers = new Set<Mailbox<GetClusterStatusResponse>>();
  readonly #stop = new AbortController();
  #timer: Timer | undefined;
  #isAsking = false;
  #isWanted = false;
  #failureCount = 0;

  constructor(masters: Masters, timers: Timers) {
    this.#masters = masters;
    this.#timers = timers;
  }

  /** Ends all watchers. */
  stop(): void {
    this.#stop.abort();
    this.#timer?.cancel();
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Takes in a message of the change feed. */
  onChange(message: WatchResponse): void {
    if (message.isReset || message.changes.some(({ change }) => change.case === "node")) this.#ask();
  }

  /** The status now and from now on. Errors: tooBusy, unavailable (no leader answers for some seconds), cancelled. */
  async *watch(signal: AbortSignal): AsyncGenerator<GetClusterStatusResponse> {
    if (this.#watchers.size >= watchersMax)
      throw new HoldfastError("tooBusy", "Too many people watch the status at this gateway. Try again later.");
    const mailbox = new Mailbox<GetClusterStatusResponse>(1, (_held, newest) => [newest]);
    const leave = (): void => mailbox.close();
    signal.addEventListener("abort", leave, { once: true });
    if (this.#stop.signal.aborted || signal.aborted) leave();
    this.#watchers.add(mailbox);
    this.#timer ??= this.#timers.every(intervalMs, () => this.#ask());
    this.#ask();
    try {
      yield* mailbox;
    } finally {
      signal.removeEventListener("abort", leave);
      this.#watchers.delete(mailbox);
      if (this.#watchers.size === 0) {
        this.#timer?.cancel();
        this.#timer = undefined;
      }
    }
  }

  #ask(): void {
    if (this.#watchers.size === 0 || this.#stop.signal.aborted) return;
    this.#isWanted = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    void this.#askWhileWanted().finally(() => (this.#isAsking = false));
  }

  async #askWhileWanted(): Promise<void> {
    while (this.#isWanted && !this.#stop.signal.aborted) {
      this.#isWanted = false;
      try {
        const options = { signal: this.#stop.signal, timeoutMs };
        const status = await this.#masters.queries.getClusterStatus(create(GetClusterStatusRequestSchema), options);
        this.#failureCount = 0;
        for (const watcher of this.#watchers) watcher.push(status);
      } catch (thrown) {
        this.#failureCount++;
        if (this.#failureCount >= failuresMax) for (const watcher of this.#watchers) watcher.fail(thrown);
      }
    }
  }
}
