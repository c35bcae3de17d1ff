import type { KeyValueStore } from "@holdfast/runtime";
import { parseTableKey, tableKey, type Table } from "../domain/tables.ts";

/** Which rows of a table. */
export interface TableRange<K extends readonly unknown[]> {
  /** The first parts of the key, the same for all rows asked for; none = the whole table. */
  readonly prefix?: Partial<K>;
  /** The last rows asked for begin like this; none = like `prefix`. */
  readonly through?: Partial<K>;
  /** At most so many rows. */
  readonly limit?: number;
}

/** Rows of a table in key order, over one consistent view of the applied state. */
export async function* tableRange<K extends readonly unknown[], V>(
  store: KeyValueStore,
  table: Table<K, V>,
  range: TableRange<K> = {},
): AsyncGenerator<readonly [key: K, value: V], void, undefined> {
  const start = tableKey(table, range.prefix ?? ([] as unknown as Partial<K>));
  const { limit } = range;
  for await (const [key, value] of store.range({
    start,
    end: afterPrefix(range.through === undefined ? start : tableKey(table, range.through)),
    ...(limit === undefined ? {} : { limit }),
  })) {
    yield [parseTableKey(table, key), table.value.decode(value)];
  }
}

/** The first key behind all that begin with the prefix. Table tags are below 0x80, so there always is one. */
function afterPrefix(prefix: Uint8Array): Uint8Array {
  const end = new Uint8Array(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.slice(0, at + 1);
    }
  }
  return end;
}
