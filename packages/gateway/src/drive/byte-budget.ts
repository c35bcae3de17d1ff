import { assert, HoldfastError } from "@holdfast/base";

/** How many bytes may be held at once, and how many callers may wait for their turn. */
export interface ByteBudgetLimits {
  readonly heldBytesMax: number;
  readonly waitingMax: number;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds the memory that all uploads of a gateway hold together. Callers are admitted in the order they came; while they
 * wait, their sockets are not read, so the pressure reaches the client.
 */
export class ByteBudget {
  readonly #limits: ByteBudgetLimits;
  readonly #waiting: Waiting[] = [];
  #heldBytes = 0;

  constructor(limits: ByteBudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Resolves with the function that gives the bytes back (idempotent). More than the whole budget counts as the whole.
   * Errors: tooBusy when too many wait already, cancelled when the signal aborts first.
   */
  async acquire(wantedBytes: number, signal: AbortSignal): Promise<() => void> {
    assert(wantedBytes >= 0, "a share of the budget is not negative");
    const bytes = Math.min(wantedBytes, this.#limits.heldBytesMax);
    if (signal.aborted) throw new HoldfastError("cancelled", "The request ended before its turn came. Nothing was stored.");
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#turn(bytes, signal);
    else this.#heldBytes += bytes;
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
      throw new HoldfastError("tooBusy", "This gateway has too many uploads waiting. Nothing was stored. Try again in a moment.");
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        const place = this.#waiting.indexOf(waiting);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(new HoldfastError("cancelled", "The request ended before its turn came. Nothing was stored."));
        this.#admitNext();
      };
      const waiting: Waiting = {
        bytes,
        admit: () => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      signal.addEventListener("abort", giveUp, { once: true });
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
