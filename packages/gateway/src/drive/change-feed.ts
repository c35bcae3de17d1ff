import { create } from "@bufbuild/protobuf";
import { assert, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  GetClusterStatusRequestSchema,
  WatchResponseSchema,
  type WatchResponse,
} from "@holdfast/proto/master/v1/master";
import { linkAbort, type LinkedAbort, type Timers } from "@holdfast/runtime";
import { Mailbox } from "./mailbox.ts";
import type { Masters } from "./ports.ts";

/** Limits of the feed. */
export interface ChangeFeedLimits {
  /** Messages kept to replay to watchers that come back. */
  readonly replayMessagesMax: number;
  /** Messages a slow watcher may be behind before it must read everything anew. */
  readonly behindMessagesMax: number;
  readonly watchersMax: number;
  /** After so long without a message the feed subscribes again, in case the connection is dead without saying so. */
  readonly silenceMsMax: number;
}

/** What the feed is made of. */
export interface ChangeFeedParts {
  readonly masters: Masters;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly limits: ChangeFeedLimits;
}

const retryDelayMsMin = 100;
const retryDelayMsMax = 2000;

/**
 * One subscription to the masters' changes, shared by everyone at this gateway: it survives leader changes by subscribing
 * again from the last index it saw, keeps the latest messages for watchers that come back, and never waits for a slow one.
 */
export class ChangeFeed {
  readonly #parts: ChangeFeedParts;
  readonly #stop = new AbortController();
  readonly #watchers = new Map<Mailbox<WatchResponse>, (message: WatchResponse) => boolean>();
  readonly #listeners = new Set<(message: WatchResponse) => void>();
  readonly #waitingForIndex = new Set<() => void>();
  #replay: WatchResponse[] = [];
  #replayAfterIndex = 0n;
  #lastIndex: bigint | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts;
  }

  /** Starts following the masters; at most once. */
  start(): void {
    assert(this.#running === undefined, "a feed is started once");
    this.#running = this.#run();
  }

  /** Ends all watchers and the subscription. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const watcher of this.#watchers.keys()) watcher.close();
    for (const wake of this.#waitingForIndex) wake();
    await this.#running;
  }

  /** Called with every message, in order, before any watcher sees it. */
  listen(listener: (message: WatchResponse) => void): void {
    this.#listeners.add(listener);
  }

  /** Index of the latest message; undefined before the masters were reached for the first time. */
  get lastIndex(): bigint | undefined {
    return this.#lastIndex;
  }

  /** Resolves with the index once the masters were reached. Errors: cancelled, unavailable (the feed stops). */
  async whenReady(signal: AbortSignal): Promise<bigint> {
    while (this.#lastIndex === undefined) {
      if (this.#stop.signal.aborted) throw new HoldfastError("unavailable", "This gateway is stopping. Connect again.");
      if (signal.aborted) throw new HoldfastError("cancelled", "The caller ended the request.");
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waitingForIndex.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waitingForIndex.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    return this.#lastIndex;
  }

  /**
   * A mailbox with every wanted message after an index (0 = from now). When that reaches further back than the feed
   * remembers, the first message says reset. The caller gives it back with `leave`. Errors: tooBusy.
   */
  join(fromIndex: bigint, isWanted: (message: WatchResponse) => boolean): Mailbox<WatchResponse> {
    const lastIndex = this.#lastIndex;
    assert(lastIndex !== undefined, "watchers join a feed that is ready");
    if (this.#watchers.size >= this.#parts.limits.watchersMax) {
      throw new HoldfastError(
        "tooBusy",
        "This gateway has too many watchers. Nothing is wrong with your files. Try again later.",
      );
    }
    const mailbox = new Mailbox<WatchResponse>(this.#parts.limits.behindMessagesMax, (_held, next) => [
      resetAt(next.index),
    ]);
    if (fromIndex !== 0n && fromIndex < this.#replayAfterIndex) mailbox.push(resetAt(lastIndex));
    else if (fromIndex !== 0n)
      for (const message of this.#replay) if (message.index > fromIndex && isWanted(message)) mailbox.push(message);
    this.#watchers.set(mailbox, isWanted);
    if (this.#stop.signal.aborted) mailbox.close();
    return mailbox;
  }

  /** Idempotent. */
  leave(mailbox: Mailbox<WatchResponse>): void {
    mailbox.close();
    this.#watchers.delete(mailbox);
  }

  async #run(): Promise<void> {
    let delayMs = retryDelayMsMin;
    while (!this.#stop.signal.aborted) {
      try {
        if ((await this.#follow(() => (delayMs = retryDelayMsMin))) === "renewed") continue;
      } catch (thrown) {
        this.#parts.logger.warn("gateway.watch_broke", {
          reason: thrown instanceof Error ? thrown.message : String(thrown),
        });
      }
      await this.#parts.timers.sleep(delayMs, this.#stop.signal).catch((thrown: unknown) => {
        assert(this.#stop.signal.aborted, `only a stop ends the pause between two subscriptions: ${String(thrown)}`);
      });
      delayMs = Math.min(delayMs * 2, retryDelayMsMax);
    }
  }

  async #follow(onLife: () => void): Promise<"renewed" | "ended"> {
    const subscription = linkAbort(this.#stop.signal);
    try {
      return await this.#subscribe(subscription, onLife);
    } finally {
      subscription.release();
    }
  }

  async #subscribe({ signal, abort }: LinkedAbort, onLife: () => void): Promise<"renewed" | "ended"> {
    const { masters, timers, limits } = this.#parts;
    if (this.#lastIndex === undefined) await this.#begin(signal);
    let isSilent = true;
    let isRenewed = false;
    const watchdog = timers.every(limits.silenceMsMax, () => {
      isRenewed ||= isSilent;
      if (isSilent) abort();
      isSilent = true;
    });
    try {
      for await (const message of masters.watch(this.#lastIndex ?? 0n, signal)) {
        isSilent = false;
        onLife();
        this.#onMessage(message);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      watchdog.cancel();
    }
    return isRenewed ? "renewed" : "ended";
  }

  /** Learns where "now" is, so that nothing between a reader's index and the subscription can be missed. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { masters } = this.#parts;
    const status = await masters.queries.getClusterStatus(create(GetClusterStatusRequestSchema), { signal });
    this.#replayAfterIndex = status.index;
    this.#lastIndex = status.index;
    for (const wake of this.#waitingForIndex) wake();
  }

  #onMessage(message: WatchResponse): void {
    if (message.isReset) {
      this.#replay = [];
      this.#replayAfterIndex = message.index;
    } else {
      if (this.#lastIndex !== undefined && message.index <= this.#lastIndex) return;
      this.#replay.push(message);
      const dropped = this.#replay.length > this.#parts.limits.replayMessagesMax ? this.#replay.shift() : undefined;
      if (dropped !== undefined) this.#replayAfterIndex = dropped.index;
    }
    this.#lastIndex = message.index;
    for (const listener of this.#listeners) listener(message);
    for (const [watcher, isWanted] of this.#watchers) if (message.isReset || isWanted(message)) watcher.push(message);
  }
}

function resetAt(index: bigint): WatchResponse {
  return create(WatchResponseSchema, { index, isReset: true });
}
