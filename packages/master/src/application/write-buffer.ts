import type { KeyValueChange } from "@holdfast/runtime";
import type { ByteView, MutableByteView } from "../domain/tables.ts";

/** A key as a map key: one character a byte. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

/** Changes on top of a view, kept in the order of their first write. */
export class WriteBuffer implements MutableByteView {
  private readonly below: ByteView;
  private readonly rows = new Map<string, KeyValueChange>();
  private bytes = 0;

  constructor(below: ByteView) {
    this.below = below;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const row = this.rows.get(keyText(key));
    return row === undefined ? this.below.get(key) : row.value;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.bytes += key.length + value.length;
    this.rows.set(keyText(key), { key, value });
  }

  delete(key: Uint8Array): void {
    this.bytes += key.length;
    this.rows.set(keyText(key), { key, value: undefined });
  }

  /** The last change of each key, in the order of first writes. */
  changes(): readonly KeyValueChange[] {
    return [...this.rows.values()];
  }

  /** Bytes written so far, rewritten ones counted again. */
  sizeBytes(): number {
    return this.bytes;
  }

  /** The same changes on a view below: commits this buffer into the one it lies on. */
  copyTo(target: MutableByteView): void {
    for (const { key, value } of this.rows.values()) {
      if (value === undefined) target.delete(key);
      else target.set(key, value);
    }
  }
}
