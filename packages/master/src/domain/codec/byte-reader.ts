import { assert } from "@holdfast/base";
import { decodeUtf8 } from "./utf8.ts";

/** Reads what `ByteWriter` wrote. Reading past the end is a bug and asserts. */
export class ByteReader {
  private readonly buffer: Uint8Array;
  private offset: number;

  constructor(buffer: Uint8Array, offset = 0) {
    this.buffer = buffer;
    this.offset = offset;
  }

  /** Nothing is left. */
  isAtEnd(): boolean {
    return this.offset >= this.buffer.length;
  }

  /** See `ByteWriter.varint`. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    assert(Number.isSafeInteger(value), "a stored integer is a safe integer");
    return value;
  }

  /** One byte. */
  byte(): number {
    const value = this.buffer[this.offset++];
    assert(value !== undefined, "a stored record is as long as its fields say");
    return value;
  }

  /** See `ByteWriter.bigEndian`. */
  bigEndian(byteCount: number): number {
    let value = 0;
    for (let count = 0; count < byteCount; count++) value = value * 0x100 + this.byte();
    return value;
  }

  /** A copy of the next bytes. */
  bytes(length: number): Uint8Array {
    const end = this.offset + length;
    assert(end <= this.buffer.length, "a stored record is as long as its fields say");
    const part = this.buffer.slice(this.offset, end);
    this.offset = end;
    return part;
  }

  /** See `ByteWriter.text`. */
  text(): string {
    const length = this.varint();
    const end = this.offset + length;
    assert(end <= this.buffer.length, "a stored record is as long as its fields say");
    const text = decodeUtf8(this.buffer, this.offset, end);
    this.offset = end;
    return text;
  }

  /** UTF-8 up to a NUL, which is skipped. */
  textUntilNul(): string {
    const end = this.buffer.indexOf(0, this.offset);
    assert(end >= 0, "a text in a key ends with NUL");
    const text = decodeUtf8(this.buffer, this.offset, end);
    this.offset = end + 1;
    return text;
  }
}
