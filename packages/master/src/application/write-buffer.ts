import type { KeyValueChange } from "@holdfast/runtime";
import type { ByteView, MutableByteView } from "../domain/tables.ts";

/** A key as a map key: one character a byte. */
export function keyText(key: Uint8Array): string {
  // There are dozens of keys in every batch. A Buffer's `latin1` would be three times slower: whatever leaves JavaScript
  // first moves a small array's bytes out of the heap.
  return Reflect.apply(String.fromCharCode, undefined, key);
}

/** A view that lies on another one and looks rows up by text: the text is made once, not once a layer. */
export interface LayeredView extends ByteView {
  getText(text: string, key: Uint8Array): Uint8Array | undefined;
}

/** How to read a view that may be layered. */
export function layeredRead(view: ByteView): LayeredView["getText"] {
  if ("getText" in view && typeof view.getText === "function") {
    const layered = view as LayeredView;
    return (text, key) => layered.getText(text, key);
  }
  return (_text, key) => view.get(key);
}

/** Changes on top of a view, kept in the order of their first write. */
export class WriteBuffer implements MutableByteView, LayeredView {
  private readonly readBelow: LayeredView["getText"];
  private readonly rows = new Map<string, KeyValueChange>();
  private bytes = 0;

  constructor(below: ByteView) {
    this.readBelow = layeredRead(below);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getText(keyText(key), key);
  }

  getText(text: string, key: Uint8Array): Uint8Array | undefined {
    const row = this.rows.get(text);
    return row === undefined ? this.readBelow(text, key) : row.value;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.put(keyText(key), { key, value });
  }

  delete(key: Uint8Array): void {
    this.put(keyText(key), { key, value: undefined });
  }

  /** The last change of each key, in the order of first writes. */
  changes(): readonly KeyValueChange[] {
    return [...this.rows.values()];
  }

  /** The same with the keys as text. */
  entries(): Iterable<readonly [text: string, change: KeyValueChange]> {
    return this.rows;
  }

  /** Bytes written so far, rewritten ones counted again. */
  sizeBytes(): number {
    return this.bytes;
  }

  /** Commits this buffer into the view that it lies on. */
  copyTo(target: MutableByteView): void {
    for (const [text, change] of this.rows) {
      if (target instanceof WriteBuffer) target.put(text, change);
      else if (change.value === undefined) target.delete(change.key);
      else target.set(change.key, change.value);
    }
  }

  private put(text: string, change: KeyValueChange): void {
    this.bytes += change.key.length + (change.value?.length ?? 0);
    this.rows.set(text, change);
  }
}
