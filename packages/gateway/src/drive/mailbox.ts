import { assert } from "@holdfast/base";

/** What a full mailbox does with a message that does not fit: answers the messages that replace everything in it. */
export type Overflow<T> = (held: readonly T[], next: T) => readonly T[];

/** A bounded queue between one producer that never waits and one consumer that iterates. */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #messagesMax: number;
  readonly #overflow: Overflow<T>;
  #held: T[] = [];
  #isClosed = false;
  #failure: { readonly thrown: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(messagesMax: number, overflow: Overflow<T>) {
    assert(messagesMax >= 1, "a mailbox holds at least one message");
    this.#messagesMax = messagesMax;
    this.#overflow = overflow;
  }

  /** Whether nothing waits to be read. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Never waits; after `close` or `fail` the message is dropped. */
  push(message: T): void {
    if (this.#isClosed) return;
    if (this.#held.length >= this.#messagesMax) this.#held = [...this.#overflow(this.#held, message)];
    else this.#held.push(message);
    this.#wakeReader();
  }

  /** Ends the iteration once what is held was read. */
  close(): void {
    this.#isClosed = true;
    this.#wakeReader();
  }

  /** Ends the iteration at once by throwing. */
  fail(thrown: unknown): void {
    if (this.#isClosed) return;
    this.#held = [];
    this.#failure = { thrown };
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.thrown;
      const next = this.#held.shift();
      if (next !== undefined) yield next;
      else if (this.#isClosed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
