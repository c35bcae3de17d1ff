import type { SnapshotMeta } from "../core/entries.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readSnapshotMeta, writeSnapshotMeta } from "./entry-codec.ts";

/** A snapshot's position, membership and the host's own, as bytes. */
export function encodePosition(meta: SnapshotMeta): Uint8Array {
  const writer = new ByteWriter(256);
  writePosition(writer, meta);
  return writer.finish();
}

/** The position in bytes that nobody vouches for; undefined when they are not one. */
export function decodePosition(bytes: Uint8Array): SnapshotMeta | undefined {
  const reader = new ByteReader(bytes);
  const meta = readPosition(reader);
  return reader.isComplete ? meta : undefined;
}

/** Into a larger whole. */
export function writePosition(writer: ByteWriter, meta: SnapshotMeta): void {
  writeSnapshotMeta(writer, meta);
  writer.sized(meta.context ?? new Uint8Array(0));
}

/** Out of a larger whole; the reader says whether it failed. */
export function readPosition(reader: ByteReader): SnapshotMeta {
  const meta = readSnapshotMeta(reader);
  const context = Uint8Array.from(reader.sized());
  return context.length === 0 ? meta : { ...meta, context };
}
