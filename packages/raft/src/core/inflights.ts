import { isPlanted } from "@holdfast/base";
/** One append under way: the last index it carries, and its payload bytes. */
export interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/** The window of appends sent to one follower and not yet acknowledged, oldest first, bounded in number and bytes. */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #queue: Inflight[] = [];
  #bytes = 0;

  constructor(limits: { readonly countMax: number; readonly bytesMax: number }) {
    this.#countMax = limits.countMax;
    this.#bytesMax = limits.bytesMax;
  }

  /** Appends under way. */
  get count(): number {
    return this.#queue.length;
  }

  /** Their payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No more may be sent. The byte limit may be passed by the last append. */
  get isFull(): boolean {
    return this.#queue.length >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** An append left. */
  add(inflight: Inflight): void {
    this.#queue.push(inflight);
    this.#bytes += inflight.bytes;
  }

  /** Everything up to `index` arrived. */
  freeThrough(index: number): void {
    let freed = 0;
    for (const inflight of this.#queue) {
      if (inflight.lastIndex > index) break;
      if (!isPlanted("inflightBytesNeverFreed")) this.#bytes -= inflight.bytes;
      freed++;
    }
    if (freed > 0) this.#queue.splice(0, freed);
  }

  /** Nothing is under way. */
  reset(): void {
    this.#queue = [];
    this.#bytes = 0;
  }

  /** An equal, independent one. */
  clone(): Inflights {
    const copy = new Inflights({ countMax: this.#countMax, bytesMax: this.#bytesMax });
    copy.#queue = [...this.#queue];
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** What is under way, oldest first. */
  list(): readonly Inflight[] {
    return this.#queue;
  }
}
