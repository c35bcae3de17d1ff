import { HoldfastError } from "@holdfast/base";
import type { KeyValueChange } from "@holdfast/runtime";

/** Two lengths before every row: docs/formats/raft-snapshot.md. */
const rowHeaderBytes = 8;

/** Rows of a store, one after another in key order. */
export class RowWriter {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    const header = new Uint8Array(rowHeaderBytes);
    const view = new DataView(header.buffer);
    view.setUint32(0, key.length, true);
    view.setUint32(4, value.length, true);
    this.#parts.push(header, key, value);
    this.#bytes += rowHeaderBytes + key.length + value.length;
  }

  /** All rows added since the last call. */
  take(): Uint8Array {
    const bytes = Uint8Array.from(Buffer.concat(this.#parts, this.#bytes));
    this.#parts = [];
    this.#bytes = 0;
    return bytes;
  }
}

/** The rows that `RowWriter` wrote. They share memory with `bytes`. Errors: `dataLoss` when they are not rows. */
export function rowsIn(bytes: Uint8Array): readonly KeyValueChange[] {
  const rows: KeyValueChange[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    if (at + rowHeaderBytes > bytes.length) throw broken();
    const keyStart = at + rowHeaderBytes;
    const valueStart = keyStart + view.getUint32(at, true);
    const end = valueStart + view.getUint32(at + 4, true);
    if (end > bytes.length) throw broken();
    rows.push({ key: bytes.subarray(keyStart, valueStart), value: bytes.subarray(valueStart, end) });
    at = end;
  }
  return rows;
}

function broken(): HoldfastError {
  return new HoldfastError("dataLoss", "A piece of a snapshot does not hold whole rows. Nothing was changed.");
}
