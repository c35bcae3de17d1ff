import type { HoldfastError } from "@holdfast/base";

/** What travels in one direction of a call. */
export type PipeItem =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  /** The other side is gone; the error is made when somebody hears of it. */
  | { readonly kind: "gone" }
  | { readonly kind: "error"; readonly error: HoldfastError };

/** Bytes that may be under way or unread in one direction of one call, as HTTP/2 windows limit them. */
const windowBytes = 4 * 1024 * 1024;

/**
 * The receiving end of one direction of a call: a queue with a window. It belongs to two processes; the promises it
 * hands to a dead one are never settled, because the network stops touching it.
 */
export class SimPipe {
  readonly #queue: PipeItem[] = [];
  #usedBytes = 0;
  #waitingReceiver: (() => void) | undefined;
  #waitingSenders: (() => void)[] = [];
  #isClosed = false;
  #isReleased = false;

  /** Takes a message's room; settles when the window has space left. */
  reserve(sizeBytes: number): Promise<void> {
    this.#usedBytes += sizeBytes;
    if (this.#usedBytes < windowBytes || this.#isReleased) return Promise.resolve();
    return new Promise((resolve) => this.#waitingSenders.push(resolve));
  }

  /** An item arrives. After `close` nothing does. */
  deliver(item: PipeItem): void {
    if (this.#isClosed) return;
    this.#queue.push(item);
    this.#wakeReceiver();
  }

  /** The next item, once there is one. After the last item it is given again. */
  async next(): Promise<PipeItem> {
    for (;;) {
      const item = this.#queue[0];
      if (item === undefined) {
        await new Promise<void>((resolve) => {
          this.#waitingReceiver = resolve;
        });
        continue;
      }
      if (item.kind === "message") {
        this.#queue.shift();
        this.#usedBytes -= item.bytes.length;
        if (this.#usedBytes < windowBytes) this.#wakeSenders();
      }
      return item;
    }
  }

  /** Ends the receiving side at once: what was not read is gone, the receiver gets `last`. The sender learns it by the wire. */
  close(last: PipeItem): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#queue.push(last);
    this.#wakeReceiver();
  }

  /** The sender knows that nobody will read on: it need not wait for room. */
  releaseSenders(): void {
    this.#isReleased = true;
    this.#wakeSenders();
  }

  #wakeReceiver(): void {
    this.#waitingReceiver?.();
    this.#waitingReceiver = undefined;
  }

  #wakeSenders(): void {
    const waiting = this.#waitingSenders;
    this.#waitingSenders = [];
    for (const wake of waiting) wake();
  }
}
