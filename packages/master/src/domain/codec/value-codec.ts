import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

/** How one field of a stored record is written. */
export interface Field<T> {
  readonly write: (value: T, writer: ByteWriter) => void;
  readonly read: (reader: ByteReader) => T;
  /** What an older, shorter record gives for it. */
  readonly absent: T;
}

/** How a table's value is stored. */
export interface ValueCodec<V> {
  readonly encode: (value: V) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => V;
}

const noBytes = new Uint8Array(0);

/** A safe integer >= 0. */
export const uint: Field<number> = {
  write: (value, writer) => writer.varint(value),
  read: (reader) => reader.varint(),
  absent: 0,
};

/** A well-formed text. */
export const text: Field<string> = {
  write: (value, writer) => writer.text(value),
  read: (reader) => reader.text(),
  absent: "",
};

/** Any bytes. */
export const blob: Field<Uint8Array> = {
  write: (value, writer) => {
    writer.varint(value.length);
    writer.bytes(value);
  },
  read: (reader) => reader.bytes(reader.varint()),
  absent: noBytes,
};

/** A boolean. */
export const flag: Field<boolean> = {
  write: (value, writer) => writer.byte(value ? 1 : 0),
  read: (reader) => reader.byte() === 1,
  absent: false,
};

/** Any number of a field. */
export function listOf<T>(item: Field<T>): Field<readonly T[]> {
  return {
    write: (values, writer) => {
      writer.varint(values.length);
      for (const value of values) item.write(value, writer);
    },
    read: (reader) => {
      const count = reader.varint();
      const values: T[] = [];
      for (let index = 0; index < count; index++) values.push(item.read(reader));
      return values;
    },
    absent: [],
  };
}

// One buffer for all records, like that for keys.
const recordWriter = new ByteWriter(4096);

type FieldsOf<V> = { readonly [K in keyof V]: Field<V[K]> };

/**
 * A record as its fields in the order in which they are listed, without names: fields are only ever added at the end,
 * and an older, shorter record reads them as `absent`. Deterministic: equal values give equal bytes.
 */
export function record<V extends object>(fields: FieldsOf<V>): ValueCodec<V> {
  const names = Object.keys(fields) as (keyof V & string)[];
  return {
    encode: (value) => {
      recordWriter.restart();
      for (const name of names) fields[name].write(value[name], recordWriter);
      return recordWriter.take();
    },
    decode: (bytes) => {
      const reader = new ByteReader(bytes);
      const value: Partial<V> = {};
      for (const name of names) value[name] = reader.isAtEnd() ? fields[name].absent : fields[name].read(reader);
      return value as V;
    },
  };
}

/** A record inside a record; unlike the outermost it can't grow. */
export function nested<V extends object>(fields: FieldsOf<V>): Field<V> {
  const names = Object.keys(fields) as (keyof V & string)[];
  const absent: Partial<V> = {};
  for (const name of names) absent[name] = fields[name].absent;
  return {
    write: (value, writer) => {
      for (const name of names) fields[name].write(value[name], writer);
    },
    read: (reader) => {
      const value: Partial<V> = {};
      for (const name of names) value[name] = fields[name].read(reader);
      return value as V;
    },
    absent: absent as V,
  };
}

/**
 * A codec that decodes the same bytes once, as long as somebody holds them: for few rows that are read all the time. Same
 * means the same array, which a store's cache gives again until the row changes; who reads must not change the value.
 */
export function remembered<V extends object>(codec: ValueCodec<V>): ValueCodec<V> {
  const known = new WeakMap<Uint8Array, V>();
  return {
    encode: codec.encode,
    decode: (bytes) => {
      const before = known.get(bytes);
      if (before !== undefined) return before;
      const value = codec.decode(bytes);
      known.set(bytes, value);
      return value;
    },
  };
}

/** Bytes as they are. */
export const rawBytes: ValueCodec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };
