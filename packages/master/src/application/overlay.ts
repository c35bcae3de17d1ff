import type { KeyValueChange } from "@holdfast/runtime";
import type { ByteView } from "../domain/tables.ts";
import { keyText, layeredRead, WriteBuffer, type LayeredView } from "./write-buffer.ts";

interface OverlayRow {
  readonly change: KeyValueChange;
  readonly sequence: number;
}

/**
 * What the leader's batches in flight will change, on top of the applied state. Decisions read through it, so that
 * each sees all that were decided before. A row stays until the batch that wrote it last is applied below.
 */
export class Overlay implements LayeredView {
  private readonly readBase: LayeredView["getText"];
  private readonly rows = new Map<string, OverlayRow>();
  private readonly keysOf = new Map<number, readonly string[]>();

  constructor(base: ByteView) {
    this.readBase = layeredRead(base);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getText(keyText(key), key);
  }

  getText(text: string, key: Uint8Array): Uint8Array | undefined {
    const row = this.rows.get(text);
    return row === undefined ? this.readBase(text, key) : row.change.value;
  }

  /** Takes the changes of a batch; `change` that throws leaves nothing behind. */
  push(sequence: number, change: (buffer: WriteBuffer) => void): void {
    const buffer = new WriteBuffer(this);
    change(buffer);
    const keys: string[] = [];
    for (const [text, change] of buffer.entries()) {
      keys.push(text);
      this.rows.set(text, { change, sequence });
    }
    this.keysOf.set(sequence, keys);
  }

  /** The batch is applied below. */
  retire(sequence: number): void {
    for (const text of this.keysOf.get(sequence) ?? []) {
      if (this.rows.get(text)?.sequence === sequence) this.rows.delete(text);
    }
    this.keysOf.delete(sequence);
  }

  /** None of the batches in flight counts any more. */
  drop(): void {
    this.rows.clear();
    this.keysOf.clear();
  }

  /** Rows now; 0 when nothing is in flight. */
  rowCount(): number {
    return this.rows.size;
  }
}
