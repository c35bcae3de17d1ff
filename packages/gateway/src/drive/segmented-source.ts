import { createHash, type Hash } from "node:crypto";
import { assert } from "@holdfast/base";

/** One piece of a stream, itself a stream. */
export interface Segment {
  readonly source: AsyncIterable<Uint8Array>;
  /** Resolves when its last byte was taken, or nobody wants more of it. */
  readonly ended: Promise<void>;
}

/** Cuts a stream into segments of equal length, the last one shorter. Segments are read one after the other. */
export class SegmentedSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #segmentBytes: number;
  readonly #whole: Hash | undefined;
  #carry: Uint8Array | undefined;
  #isExhausted = false;
  #sizeBytes = 0;

  /** `isHashed`: SHA-256 of all bytes is wanted in the end. */
  constructor(
    source: AsyncIterable<Uint8Array>,
    options: { readonly segmentBytes: number; readonly isHashed: boolean },
  ) {
    assert(options.segmentBytes > 0, "a segment has bytes");
    this.#pieces = source[Symbol.asyncIterator]();
    this.#segmentBytes = options.segmentBytes;
    this.#whole = options.isHashed ? createHash("sha256") : undefined;
  }

  /** Whether the segment that was read last is the last one; known once it ended. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** Bytes read so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Of all bytes, once exhausted; undefined when not wanted. To be asked for once. */
  sha256(): Uint8Array | undefined {
    assert(this.#isExhausted, "the hash of all bytes is known when all were read");
    return this.#whole === undefined ? undefined : new Uint8Array(this.#whole.digest());
  }

  /** The next segment. The one before must have ended. */
  next(): Segment {
    const ended = Promise.withResolvers<void>();
    return { source: this.#read(ended.resolve), ended: ended.promise };
  }

  /** Nobody wants the rest. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async *#read(onEnd: () => void): AsyncGenerator<Uint8Array> {
    try {
      for (let leftBytes = this.#segmentBytes; leftBytes > 0;) {
        const piece = this.#carry ?? (await this.#pull());
        if (piece === undefined) return;
        const taken = piece.subarray(0, leftBytes);
        this.#carry = taken.length < piece.length ? piece.subarray(taken.length) : undefined;
        leftBytes -= taken.length;
        this.#whole?.update(taken);
        this.#sizeBytes += taken.length;
        yield taken;
      }
      // Whether there is more decides what becomes of this segment.
      this.#carry ??= await this.#pull();
    } finally {
      onEnd();
    }
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const step = await this.#pieces.next();
    if (step.done !== true) return step.value.length > 0 ? step.value : this.#pull();
    this.#isExhausted = true;
    return undefined;
  }
}
