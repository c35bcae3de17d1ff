import type { Message } from "../core/messages.ts";

/** Messages that promise durability, held back until their token is durable. */
export class SendAfter {
  readonly #send: (message: Message) => void;
  #durableToken = 0;
  /** Ascending tokens. */
  #held: { readonly token: number; readonly message: Message }[] = [];

  constructor(send: (message: Message) => void) {
    this.#send = send;
  }

  /** Sends at once when the token is durable already. */
  add(token: number, message: Message): void {
    if (token <= this.#durableToken) this.#send(message);
    else this.#held.push({ token, message });
  }

  /** This token and all before it are durable. */
  release(token: number): void {
    this.#durableToken = Math.max(this.#durableToken, token);
    let count = 0;
    for (const { token: wanted, message } of this.#held) {
      if (wanted > token) break;
      this.#send(message);
      count++;
    }
    if (count > 0) this.#held = this.#held.slice(count);
  }
}
