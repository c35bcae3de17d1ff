/**
 * A queue between code that produces when it likes and one consumer that iterates. Unbounded by itself: a producer
 * that must be held back counts what it pushed and subtracts in `onTake`.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #onTake: ((item: T) => void) | undefined;
  #ending: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(onTake?: (item: T) => void) {
    this.#onTake = onTake;
  }

  /** Items that nobody took yet. */
  get length(): number {
    return this.#items.length;
  }

  /** Whether `end` or `fail` was called, or the consumer went away. */
  get isClosed(): boolean {
    return this.#ending !== undefined;
  }

  /** Adds an item. False when the queue is closed: the item is dropped. */
  push(item: T): boolean {
    if (this.#ending !== undefined) return false;
    this.#items.push(item);
    this.#notify();
    return true;
  }

  /** No more items; the consumer gets those that are there first. Idempotent. */
  end(): void {
    this.#ending ??= { error: undefined };
    this.#notify();
  }

  /** As `end`, but the consumer's iteration then throws `error`. */
  fail(error: unknown): void {
    this.#ending ??= { error };
    this.#notify();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        if (this.#items.length > 0) {
          const item = this.#items.shift() as T;
          this.#onTake?.(item);
          yield item;
        } else if (this.#ending !== undefined) {
          if (this.#ending.error !== undefined) throw this.#ending.error;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.#ending ??= { error: undefined };
      this.#items.length = 0;
    }
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
