import { assert } from "@holdfast/base";
import { ByteReader } from "./codec/byte-reader.ts";
import { ByteWriter } from "./codec/byte-writer.ts";
import type { KeyPart } from "./codec/key-codec.ts";
import type { ValueCodec } from "./codec/value-codec.ts";

/**
 * The tables that `decide` reads and `evolve` writes, as one synchronous byte key-value view. A key is the table's tag
 * and the key's parts, each written so that bytes sort the way the table is read. Tags, so that neighbours do not
 * collide: 0x01-0x1f namespace, accounts, uploads, meta; 0x20-0x2f chunks; 0x30-0x3f fleet; 0x60-0x7f projections that
 * `evolve` does not know.
 */
export interface ByteView {
  get(key: Uint8Array): Uint8Array | undefined;
}

/** A `ByteView` that can be changed; changes are visible to its own `get` at once. */
export interface MutableByteView extends ByteView {
  set(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
}

/** A table: where its rows are and how they are written. */
export interface Table<K extends readonly unknown[], V> {
  readonly name: string;
  readonly tag: number;
  readonly keyParts: { readonly [I in keyof K]: KeyPart<K[I]> };
  readonly value: ValueCodec<V>;
}

/** Declares a table; the types of key and value follow from the parts. */
export function defineTable<const K extends readonly unknown[], V>(table: Table<K, V>): Table<K, V> {
  assert(table.tag > 0 && table.tag < 0x80, "a table's tag is one byte below 0x80");
  return table;
}

// One buffer for all keys: they are written and copied out in one go, and millions of them are made.
const keyWriter = new ByteWriter(1024);

/** The whole key of a row, or with fewer parts the common beginning of all rows that share them. */
export function tableKey<K extends readonly unknown[], V>(table: Table<K, V>, parts: Partial<K>): Uint8Array {
  keyWriter.restart();
  keyWriter.byte(table.tag);
  const codecs: readonly KeyPart<unknown>[] = table.keyParts;
  const values: readonly unknown[] = parts as readonly unknown[];
  for (let index = 0; index < values.length; index++) codecs[index]?.write(values[index], keyWriter);
  return keyWriter.take();
}

/** The parts of a key that `tableKey` made. */
export function parseTableKey<K extends readonly unknown[], V>(table: Table<K, V>, key: Uint8Array): K {
  const reader = new ByteReader(key);
  assert(reader.byte() === table.tag, "a key belongs to the table that parses it");
  const codecs: readonly KeyPart<unknown>[] = table.keyParts;
  return codecs.map((codec) => codec.read(reader)) as unknown as K;
}

/** What `decide` and queries read. */
export interface TableReader {
  get<K extends readonly unknown[], V>(table: Table<K, V>, key: K): V | undefined;
}

/** What `evolve` writes: the base or an overlay, with the same code. */
export interface Tables extends TableReader {
  set<K extends readonly unknown[], V>(table: Table<K, V>, key: K, value: V): void;
  delete<K extends readonly unknown[], V>(table: Table<K, V>, key: K): void;
}

/** Typed reading of a byte view. */
export function readerOf(view: ByteView): TableReader {
  return {
    get: (table, key) => {
      const bytes = view.get(tableKey(table, key));
      return bytes === undefined ? undefined : table.value.decode(bytes);
    },
  };
}

/** Typed reading and writing of a byte view. */
export function tablesOf(view: MutableByteView): Tables {
  return {
    ...readerOf(view),
    set: (table, key, value) => view.set(tableKey(table, key), table.value.encode(value)),
    delete: (table, key) => view.delete(tableKey(table, key)),
  };
}
