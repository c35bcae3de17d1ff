import { assert } from "@holdfast/base";

/** Arrays of up to so many bytes live in the heap as long as nobody asks for their buffer: they cost a twentieth. */
const smallBytesMax = 64;

/** Appends numbers and bytes to a growing array. One writer makes one array: `finish` ends it. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(expectedBytes = 256) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** One byte. */
  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Four bytes, little-endian. */
  u32(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift;
  }

  /** A safe integer >= 0 as LEB128: seven bits a byte, lowest first; the shortest form. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a varint is a safe integer that is not negative");
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 0x80) : rest >>> 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** The bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Length as a varint, then the bytes. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** `count` zeros, to be filled in later through the array that `finish` gives. Returns where they begin. */
  skip(count: number): number {
    this.#reserve(count);
    const start = this.#length;
    this.#length += count;
    return start;
  }

  /** What was written. May share memory with the writer, which must not be used any more. */
  finish(): Uint8Array {
    if (this.#length === this.#bytes.length) return this.#bytes;
    const isSmall = this.#bytes.length <= smallBytesMax;
    return isSmall ? this.#bytes.slice(0, this.#length) : this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
