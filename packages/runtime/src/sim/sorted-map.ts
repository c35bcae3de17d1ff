import { compareBytes, must } from "@holdfast/base";

/** One pair; never changed after it was made. */
export interface SortedEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type Leaf = readonly SortedEntry[];

const leafEntriesMax = 128;

/**
 * A map sorted by unsigned bytes with free snapshots: two levels, leaves are copied when they change, the list of
 * leaves when somebody holds a snapshot of it. About sqrt-sized copies; made for up to a few hundred thousand keys.
 */
export class SortedMap {
  #leaves: Leaf[] = [];
  #isShared = false;
  #size = 0;

  /** Pairs in the map. */
  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const leaf = this.#leaves[leafIndex(this.#leaves, key)];
    if (leaf === undefined) return undefined;
    const entry = leaf[entryIndex(leaf, key)];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
  }

  /** Sets or (undefined) removes; returns what was there. */
  set(key: Uint8Array, value: Uint8Array | undefined): Uint8Array | undefined {
    const index = leafIndex(this.#leaves, key);
    const leaf = this.#leaves[index] ?? [];
    const position = entryIndex(leaf, key);
    const found = leaf[position];
    const isPresent = found !== undefined && compareBytes(found.key, key) === 0;
    if (value === undefined && !isPresent) return undefined;
    const changed = leaf.slice();
    if (value === undefined) changed.splice(position, 1);
    else changed.splice(position, isPresent ? 1 : 0, { key: key.slice(), value: value.slice() });
    this.#size += changed.length - leaf.length;
    this.#replaceLeaf(index, changed);
    return isPresent ? found.value : undefined;
  }

  /** The map as it is now, whatever is set later. */
  snapshot(): SortedSnapshot {
    this.#isShared = true;
    return new SortedSnapshot(this.#leaves);
  }

  #replaceLeaf(index: number, leaf: SortedEntry[]): void {
    if (this.#isShared) {
      this.#leaves = this.#leaves.slice();
      this.#isShared = false;
    }
    if (leaf.length === 0) this.#leaves.splice(index, 1);
    else if (leaf.length <= leafEntriesMax) this.#leaves[index] = leaf;
    else this.#leaves.splice(index, 1, leaf.slice(0, leaf.length >> 1), leaf.slice(leaf.length >> 1));
  }
}

/** A frozen view of a `SortedMap`. */
export class SortedSnapshot {
  readonly #leaves: readonly Leaf[];

  constructor(leaves: readonly Leaf[]) {
    this.#leaves = leaves;
  }

  /** Entries with start <= key < end, upwards. */
  *upwards(start: Uint8Array | undefined, end: Uint8Array | undefined): Generator<SortedEntry> {
    const first = start === undefined ? 0 : leafIndex(this.#leaves, start);
    for (let index = first; index < this.#leaves.length; index++) {
      const leaf = must(this.#leaves[index], "the index is inside");
      for (
        let position = index === first && start !== undefined ? entryIndex(leaf, start) : 0;
        position < leaf.length;
        position++
      ) {
        const entry = must(leaf[position], "the position is inside");
        if (end !== undefined && compareBytes(entry.key, end) >= 0) return;
        yield entry;
      }
    }
  }

  /** Entries with start <= key < end, downwards. */
  *downwards(start: Uint8Array | undefined, end: Uint8Array | undefined): Generator<SortedEntry> {
    const last = end === undefined ? this.#leaves.length - 1 : leafIndex(this.#leaves, end);
    for (let index = Math.min(last, this.#leaves.length - 1); index >= 0; index--) {
      const leaf = must(this.#leaves[index], "the index is inside");
      const above = index === last && end !== undefined ? entryIndex(leaf, end) : leaf.length;
      for (let position = above - 1; position >= 0; position--) {
        const entry = must(leaf[position], "the position is inside");
        if (start !== undefined && compareBytes(entry.key, start) < 0) return;
        yield entry;
      }
    }
  }
}

/** The last leaf whose first key is <= key (or the first leaf). */
function leafIndex(leaves: readonly Leaf[], key: Uint8Array): number {
  let low = 0;
  let high = leaves.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const first = must(leaves[middle]?.[0], "a leaf is never empty");
    if (compareBytes(first.key, key) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first position in the leaf whose key is >= key. */
function entryIndex(leaf: Leaf, key: Uint8Array): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(must(leaf[middle], "the middle is inside").key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
