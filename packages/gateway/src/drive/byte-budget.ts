import { assert, HoldfastError } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";

/** How many bytes may be held at once, and how many callers may wait for their turn. */
export interface ByteBudgetLimits {
  readonly heldBytesMax: number;
  readonly waitingMax: number;
  /** How long one waits before it is told to come again. */
  readonly waitMsMax: number;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds the memory that all transfers of a kind hold together. Callers are admitted in the order they came; while they
 * wait, their sockets are not read, so the pressure reaches the client.
 */
export class ByteBudget {
  readonly #limits: ByteBudgetLimits;
  readonly #timers: Timers;
  readonly #waiting: Waiting[] = [];
  #heldBytes = 0;

  constructor(limits: ByteBudgetLimits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
  }

  /** Bytes held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Resolves with the function that gives the bytes back (idempotent). More than the whole budget counts as the whole.
   * Errors: tooBusy when too many wait already or it took too long, cancelled when the signal aborts first.
   */
  async acquire(wantedBytes: number, signal: AbortSignal): Promise<() => void> {
    assert(wantedBytes >= 0, "a share of the budget is not negative");
    const bytes = Math.min(wantedBytes, this.#limits.heldBytesMax);
    if (signal.aborted)
      throw new HoldfastError("cancelled", "The request ended before its turn came. Nothing was stored.");
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#turn(bytes, signal);
    else this.#heldBytes += bytes;
    return this.#held(bytes);
  }

  /** The same at once, or undefined when it would have to wait. */
  tryAcquire(wantedBytes: number): (() => void) | undefined {
    const bytes = Math.min(wantedBytes, this.#limits.heldBytesMax);
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return undefined;
    this.#heldBytes += bytes;
    return this.#held(bytes);
  }

  #held(bytes: number): () => void {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#heldBytes -= bytes;
      this.#admitNext();
    };
  }

  #fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#limits.heldBytesMax;
  }

  async #turn(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#limits.waitingMax) {
      throw tooBusy();
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (error: HoldfastError): void => {
        settle();
        const place = this.#waiting.indexOf(waiting);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(error);
        this.#admitNext();
      };
      const onAbort = (): void =>
        leave(new HoldfastError("cancelled", "The request ended before its turn came. Nothing was stored."));
      const limit = this.#timers.after(this.#limits.waitMsMax, () => leave(tooBusy()));
      const settle = (): void => {
        limit.cancel();
        signal.removeEventListener("abort", onAbort);
      };
      const waiting: Waiting = {
        bytes,
        admit: () => {
          settle();
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #admitNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#heldBytes += next.bytes;
      next.admit();
    }
  }
}

function tooBusy(): HoldfastError {
  return new HoldfastError(
    "tooBusy",
    "This gateway moves as many bytes as it can hold. Nothing was stored. Try again in a moment.",
  );
}
