import { HoldfastError } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import { bucketWaitMs, refilled, signInDelayMs, type AttemptBucket } from "./policy.ts";

const keptMax = 10_000;

interface AccountFailures {
  readonly count: number;
  readonly blockedUntilMs: number;
}

/**
 * Slows guessing down: after three failures an account waits, longer each time, and an address has ten failed attempts a
 * minute. Counts live in this gateway's memory; unknown accounts are counted like known ones, so nothing can be learnt.
 */
export class SignInThrottle {
  readonly #clock: Clock;
  readonly #failures = new Map<string, AccountFailures>();
  readonly #buckets = new Map<string, AttemptBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt against its address before the password is looked at. Errors: tooBusy, with the seconds to wait. */
  admit(attempt: { readonly email: string; readonly ip: string }): void {
    const nowMs = this.#clock.monotonicMs();
    const waitMs = (this.#failures.get(attempt.email)?.blockedUntilMs ?? nowMs) - nowMs;
    if (waitMs > 0) throw tooMany(waitMs);
    const bucket = refilled(this.#buckets.get(attempt.ip), nowMs);
    const bucketMs = bucketWaitMs(bucket);
    if (bucketMs > 0) throw tooMany(bucketMs);
    keep(this.#buckets, attempt.ip, { ...bucket, tokens: bucket.tokens - 1 });
  }

  /** The password was wrong, or there is no such account. */
  failed(attempt: { readonly email: string }): void {
    const count = (this.#failures.get(attempt.email)?.count ?? 0) + 1;
    keep(this.#failures, attempt.email, { count, blockedUntilMs: this.#clock.monotonicMs() + signInDelayMs(count) });
  }

  /** The password was right: the attempt does not count. */
  succeeded(attempt: { readonly email: string; readonly ip: string }): void {
    this.#failures.delete(attempt.email);
    this.refund(attempt);
  }

  /** The attempt could not be decided; it does not count against the address. */
  refund(attempt: { readonly ip: string }): void {
    const bucket = refilled(this.#buckets.get(attempt.ip), this.#clock.monotonicMs());
    keep(this.#buckets, attempt.ip, { ...bucket, tokens: bucket.tokens + 1 });
  }
}

function tooMany(waitMs: number): HoldfastError {
  const seconds = Math.ceil(waitMs / 1000);
  return new HoldfastError(
    "tooBusy",
    `Too many attempts to sign in. Wait ${seconds} s, then try again. The account is not locked.`,
  );
}

/** Forgets the one that was touched longest ago when there are too many. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= keptMax) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
