import type { KeyValueChange, KeyValueStore } from "@holdfast/runtime";
import type { CountedSet } from "../domain/chunks/counted-set.ts";
import { copySetTable, parseCopySetKey } from "../domain/chunks/tables.ts";
import { parseTableKey } from "../domain/tables.ts";
import { tableRange } from "../projections/table-range.ts";

/** All copy sets as they are now. */
export interface CopySetSource {
  /** In no order. The same array as before as long as nothing changed. Errors: those of the store. */
  sets(): Promise<readonly CountedSet[]>;
}

/**
 * The copy sets in memory: whoever plans copies, counts health or forecasts looks at all of them, every second and more
 * often, and a large cluster has tens of thousands. Loaded when first asked for, then kept by every batch of changes.
 */
export class CopySetIndex implements CopySetSource {
  #rows: Map<string, CountedSet> | undefined;
  #store: KeyValueStore | undefined;
  #loading: Promise<Map<string, CountedSet>> | undefined;
  /** Changes that came while the rows were read. */
  #late: KeyValueChange[] = [];
  #listed: readonly CountedSet[] | undefined;
  /** Counts states that were replaced as a whole; a load of an earlier one is thrown away. */
  #epoch = 0;

  /** Where the rows are read from; to be said before the first question. */
  readFrom(store: KeyValueStore): void {
    this.#store = store;
  }

  /** To be told of every batch of changes, in order, not after the store takes it. */
  note(batch: readonly KeyValueChange[]): void {
    if (this.#rows === undefined && this.#loading === undefined) return;
    for (const change of batch) {
      if (change.key[0] !== copySetTable.tag) continue;
      if (this.#rows === undefined) this.#late.push(change);
      else this.#apply(this.#rows, change);
    }
  }

  /** The store holds another state from now on. */
  forget(): void {
    this.#epoch += 1;
    this.#rows = undefined;
    this.#loading = undefined;
    this.#listed = undefined;
    this.#late = [];
  }

  async sets(): Promise<readonly CountedSet[]> {
    while (this.#rows === undefined) {
      const epoch = this.#epoch;
      const rows = await (this.#loading ??= this.#load());
      if (epoch !== this.#epoch || this.#rows !== undefined) continue;
      for (const change of this.#late) this.#apply(rows, change);
      this.#late = [];
      this.#loading = undefined;
      this.#rows = rows;
    }
    return (this.#listed ??= [...this.#rows.values()]);
  }

  async #load(): Promise<Map<string, CountedSet>> {
    const rows = new Map<string, CountedSet>();
    if (this.#store === undefined) return rows;
    for await (const [[key], { heldCount, heldBytes }] of tableRange(this.#store, copySetTable))
      rows.set(key, { key, nodeIds: parseCopySetKey(key), heldCount, heldBytes });
    return rows;
  }

  #apply(rows: Map<string, CountedSet>, { key: bytes, value }: KeyValueChange): void {
    const [key] = parseTableKey(copySetTable, bytes);
    this.#listed = undefined;
    if (value === undefined) {
      rows.delete(key);
      return;
    }
    const { heldCount, heldBytes } = copySetTable.value.decode(value);
    rows.set(key, { key, nodeIds: rows.get(key)?.nodeIds ?? parseCopySetKey(key), heldCount, heldBytes });
  }
}
