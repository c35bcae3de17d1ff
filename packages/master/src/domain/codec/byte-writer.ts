import { assert } from "@holdfast/base";
import { utf8Length, writeUtf8 } from "./utf8.ts";

/** Grows as it is written; `take` hands out a copy of exactly what was written. */
export class ByteWriter {
  private buffer: Uint8Array;
  private length = 0;

  constructor(roomBytes = 128) {
    this.buffer = new Uint8Array(roomBytes);
  }

  /** LEB128 of a safe integer >= 0. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a stored integer is a safe integer >= 0");
    this.room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 0x80) : rest >>> 7;
    }
    this.buffer[this.length++] = rest;
  }

  /** One byte. */
  byte(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }

  /** Big-endian, so that bytes sort as numbers do. */
  bigEndian(value: number, byteCount: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a key integer is a safe integer >= 0");
    this.room(byteCount);
    // Two halves of 32 bits: arithmetic on larger numbers is slow, and every key has such a number.
    let low = value >>> 0;
    let high = value > 0xffff_ffff ? Math.floor(value / 0x1_0000_0000) : 0;
    for (let at = this.length + byteCount - 1; at >= this.length; at--) {
      this.buffer[at] = low & 0xff;
      low = (low >>> 8) | (high << 24);
      high >>>= 8;
    }
    assert(low === 0 && high === 0, "a key integer fits its width");
    this.length += byteCount;
  }

  /** As they are. */
  bytes(value: Uint8Array): void {
    this.room(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  /** UTF-8, without a length. */
  utf8(text: string): void {
    this.room(text.length * 3);
    this.length = writeUtf8(text, this.buffer, this.length);
  }

  /** UTF-8 behind its length. */
  text(text: string): void {
    this.varint(utf8Length(text));
    this.utf8(text);
  }

  /** What was written since the last `take`. */
  take(): Uint8Array {
    const whole = this.buffer.slice(0, this.length);
    this.length = 0;
    return whole;
  }

  /** Forgets what a write that failed half-way may have left. */
  restart(): void {
    this.length = 0;
  }

  private room(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer);
    this.buffer = larger;
  }
}
