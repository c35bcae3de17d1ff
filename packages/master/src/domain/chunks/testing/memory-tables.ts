import { toHex } from "@holdfast/base";
import { tableKey, tablesOf, type Table, type Tables } from "../../tables.ts";

/** Tables in memory, for tests of pure code. */
export class MemoryTables {
  readonly tables: Tables;
  readonly #rows = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();

  constructor() {
    this.tables = tablesOf({
      get: (key) => this.#rows.get(toHex(key))?.value,
      set: (key, value) => void this.#rows.set(toHex(key), { key, value }),
      delete: (key) => void this.#rows.delete(toHex(key)),
    });
  }

  /** All rows of a table in key order. */
  rows<K extends readonly unknown[], V>(table: Table<K, V>): readonly V[] {
    const prefix = toHex(tableKey(table, [] as unknown as Partial<K>));
    return [...this.#rows.entries()]
      .filter(([hex]) => hex.startsWith(prefix))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, { value }]) => table.value.decode(value));
  }

  /** Number of rows of a table. */
  count<K extends readonly unknown[], V>(table: Table<K, V>): number {
    return this.rows(table).length;
  }
}
