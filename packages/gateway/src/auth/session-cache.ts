import { isPlanted, toHex } from "@holdfast/base";
import type { WatchResponse } from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";
import type { Caller } from "../drive/ports.ts";

/** Limits of the cache. */
export interface SessionCacheLimits {
  /** An older entry is asked for again. */
  readonly freshMsMax: number;
  /** While the masters cannot be reached an entry serves at most so long; the bound on a revocation that was not heard of. */
  readonly staleMsMax: number;
  readonly sessionsMax: number;
}

interface Cached {
  readonly caller: Caller;
  readonly storedAtMs: number;
}

const goneKeptMax = 10_000;

/**
 * Sessions this gateway saw lately, so that not every request asks the masters. A session's end is heard on the change
 * feed and takes it out at once; a lost feed is bounded by the age limits.
 */
export class SessionCache {
  readonly #clock: Clock;
  readonly #limits: SessionCacheLimits;
  readonly #sessions = new Map<string, Cached>();
  /** Ends that were heard of; an answer that is older than the end must not bring the session back. */
  readonly #gone = new Set<string>();

  constructor(clock: Clock, limits: SessionCacheLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The session, when it is young enough. `isOutage`: the masters cannot be asked. */
  get(tokenSha256: Uint8Array, options: { readonly isOutage: boolean } = { isOutage: false }): Caller | undefined {
    const cached = this.#sessions.get(toHex(tokenSha256));
    if (cached === undefined) return undefined;
    if (cached.caller.expiresAtMs <= this.#clock.wallMs()) return undefined;
    if (isPlanted("endedSessionServed")) return cached.caller;
    const ageMs = this.#clock.monotonicMs() - cached.storedAtMs;
    return ageMs <= (options.isOutage ? this.#limits.staleMsMax : this.#limits.freshMsMax) ? cached.caller : undefined;
  }

  /** Keeps an answer of the masters. `askedAtMs` is when they were asked, on the monotonic clock. */
  put(caller: Caller, askedAtMs: number): void {
    const key = toHex(caller.tokenSha256);
    if (this.#gone.has(key)) return;
    this.#sessions.delete(key);
    this.#sessions.set(key, { caller, storedAtMs: askedAtMs });
    if (this.#sessions.size > this.#limits.sessionsMax) this.#forgetOldest();
  }

  /** The session ended. */
  drop(tokenSha256: Uint8Array): void {
    if (isPlanted("endedSessionServed")) return;
    const key = toHex(tokenSha256);
    this.#sessions.delete(key);
    this.#gone.add(key);
    if (this.#gone.size <= goneKeptMax) return;
    const [oldest] = this.#gone;
    if (oldest !== undefined) this.#gone.delete(oldest);
  }

  /** Whether the end of this session was heard of. */
  isGone(tokenSha256: Uint8Array): boolean {
    return this.#gone.has(toHex(tokenSha256));
  }

  /** Everything may have changed. */
  clear(): void {
    this.#sessions.clear();
  }

  /** Takes in a message of the change feed. */
  onChange(message: WatchResponse): void {
    if (message.isReset) this.clear();
    for (const { change } of message.changes) if (change.case === "sessionGone") this.drop(change.value.tokenSha256);
  }

  #forgetOldest(): void {
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }
}
