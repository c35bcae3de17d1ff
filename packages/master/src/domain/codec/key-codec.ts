import { assert } from "@holdfast/base";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** How one part of a key is written so that bytes sort as the values do. */
export interface KeyPart<T> {
  readonly write: (value: T, writer: ByteWriter) => void;
  readonly read: (reader: ByteReader) => T;
}

/** A number below 2^53, eight bytes big-endian. */
export const idPart: KeyPart<number> = {
  write: (value, writer) => writer.bigEndian(value, 8),
  read: (reader) => reader.bigEndian(8),
};

/** A number below 2^32, four bytes big-endian. */
export const uint32Part: KeyPart<number> = {
  write: (value, writer) => writer.bigEndian(value, 4),
  read: (reader) => reader.bigEndian(4),
};

/** A number below 256. */
export const uint8Part: KeyPart<number> = {
  write: (value, writer) => writer.bigEndian(value, 1),
  read: (reader) => reader.bigEndian(1),
};

/** UTF-8 without NUL, ended by NUL: a shorter text sorts before a longer one that it begins. */
export const textPart: KeyPart<string> = {
  write: (value, writer) => {
    assert(!value.includes("\0"), "a text in a key has no NUL");
    writer.utf8(value);
    writer.byte(0);
  },
  read: (reader) => reader.textUntilNul(),
};

/** Exactly so many bytes. */
export function blobPart(lengthBytes: number): KeyPart<Uint8Array> {
  return {
    write: (value, writer) => {
      assert(value.length === lengthBytes, "bytes in a key have the key's width");
      writer.bytes(value);
    },
    read: (reader) => reader.bytes(lengthBytes),
  };
}
