/**
 * Reads what `ByteWriter` wrote, from bytes that nobody vouches for. It never throws: after the first fault it is
 * `isFailed` and every further read gives 0 or no bytes, so a decoder checks once at its end (and before it loops).
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset: number;
  #end: number;
  #isFailed = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    // A Buffer's views are slower Buffers, and its `slice` shares memory.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#offset = start;
    this.#end = end;
  }

  /** Something was missing or not well formed. */
  get isFailed(): boolean {
    return this.#isFailed;
  }

  /** Nothing failed and nothing is left over. */
  get isComplete(): boolean {
    return !this.#isFailed && this.#offset === this.#end;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Declares the bytes faulty, for what only the caller can judge. */
  fail(): void {
    this.#isFailed = true;
    this.#offset = this.#end;
  }

  /** One byte. */
  u8(): number {
    if (this.#offset >= this.#end) {
      this.fail();
      return 0;
    }
    return this.#bytes[this.#offset++] ?? 0;
  }

  /** A safe integer in its shortest LEB128 form. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        const isShortest = byte !== 0 || count === 0;
        if (!isShortest || !Number.isSafeInteger(value)) this.fail();
        return this.#isFailed ? 0 : value;
      }
      scale *= 0x80;
    }
    this.fail();
    return 0;
  }

  /**
   * A varint that counts things of at least `itemBytesMin` bytes each: more than could still follow is a fault, so that
   * a hostile count cannot cause a large allocation.
   */
  count(itemBytesMin: number): number {
    const value = this.varint();
    if (value * itemBytesMin <= this.remaining) return value;
    this.fail();
    return 0;
  }

  /** A view of the next `length` bytes; shares memory. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) {
      this.fail();
      return this.#bytes.subarray(0, 0);
    }
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, start + length);
  }

  /** A length as a varint, then so many bytes; shares memory. */
  sized(): Uint8Array {
    return this.raw(this.varint());
  }
}
