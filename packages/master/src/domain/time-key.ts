import { ByteWriter } from "./codec/byte-writer.ts";

/** An eight-byte time and what follows it: sorts oldest first. */
export function oldestFirstKey(atMs: number, rest: number | Uint8Array): Uint8Array {
  const writer = new ByteWriter(48);
  writer.bigEndian(atMs, 8);
  if (typeof rest === "number") writer.bigEndian(rest, 8);
  else writer.bytes(rest);
  return writer.take();
}

/** The same, newest first. */
export function newestFirstKey(atMs: number, rest: number | Uint8Array): Uint8Array {
  return oldestFirstKey(Number.MAX_SAFE_INTEGER - atMs, rest);
}

/** What follows the time. */
export function restOfTimeKey(key: Uint8Array): Uint8Array {
  return key.slice(8);
}

/** An eight-byte number at the end of a key. */
export function idAtEnd(key: Uint8Array): number {
  let id = 0;
  for (const byte of key.subarray(key.length - 8)) id = id * 0x100 + byte;
  return id;
}

/** A number as an eight-byte key. */
export function idKey(id: number): Uint8Array {
  const writer = new ByteWriter(8);
  writer.bigEndian(id, 8);
  return writer.take();
}
