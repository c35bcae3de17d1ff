import type { KeyValueChange } from "@holdfast/runtime";
import type { ByteView } from "../domain/tables.ts";
import { keyText, WriteBuffer } from "./write-buffer.ts";

interface OverlayRow {
  readonly change: KeyValueChange;
  readonly sequence: number;
}

/**
 * What the leader's batches in flight will change, on top of the applied state. Decisions read through it, so that
 * each sees all that were decided before. A row stays until the batch that wrote it last is applied below.
 */
export class Overlay implements ByteView {
  private readonly base: ByteView;
  private readonly rows = new Map<string, OverlayRow>();
  private readonly keysOf = new Map<number, readonly string[]>();

  constructor(base: ByteView) {
    this.base = base;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.rows.size === 0) return this.base.get(key);
    const row = this.rows.get(keyText(key));
    return row === undefined ? this.base.get(key) : row.change.value;
  }

  /** Takes the changes of a batch; `change` that throws leaves nothing behind. */
  push(sequence: number, change: (buffer: WriteBuffer) => void): void {
    const buffer = new WriteBuffer(this);
    change(buffer);
    const keys: string[] = [];
    for (const row of buffer.changes()) {
      const text = keyText(row.key);
      keys.push(text);
      this.rows.set(text, { change: row, sequence });
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
