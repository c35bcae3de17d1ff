import type { MutableByteView } from "../domain/tables.ts";
import { keyText } from "../application/write-buffer.ts";

/** Tables in a map, for tests of the domain. */
export class MemoryView implements MutableByteView {
  private readonly rows = new Map<string, Uint8Array>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(keyText(key));
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.rows.set(keyText(key), value);
  }

  delete(key: Uint8Array): void {
    this.rows.delete(keyText(key));
  }

  /** Rows whose keys begin with a tag, in key order. */
  rowsOf(tag: number): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    return [...this.rows]
      .filter(([text]) => text.charCodeAt(0) === tag)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([text, value]) => [Uint8Array.from(text, (unit) => unit.charCodeAt(0)), value]);
  }

  /** All rows as text, in key order: equal exactly when the tables are. */
  dump(): readonly string[] {
    return [...this.rows].map(([text, value]) => `${text}=${keyText(value)}`).sort();
  }
}
