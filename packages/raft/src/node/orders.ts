import type { Reply } from "../core/output.ts";

/** Questions to the core that get one answer each: changes of the membership and transfers of leadership. */
export class Orders {
  readonly #waiting = new Map<number, (reply: Reply) => void>();

  /** Those that wait. */
  get openCount(): number {
    return this.#waiting.size;
  }

  /** Resolves with the core's answer. */
  add(ref: number): Promise<Reply> {
    return new Promise((resolve) => this.#waiting.set(ref, resolve));
  }

  /** The core's reply; false when it is not one of ours. */
  answer(reply: Reply): boolean {
    const resolve = this.#waiting.get(reply.ref);
    this.#waiting.delete(reply.ref);
    resolve?.(reply);
    return resolve !== undefined;
  }

  /** The node stops: nobody will know. */
  end(): void {
    for (const [ref, resolve] of this.#waiting) resolve({ ref, kind: "unknown" });
    this.#waiting.clear();
  }
}
