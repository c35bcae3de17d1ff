import { compareBytes, must } from "@holdfast/base";

/** One pair; never changed after it was made. */
export interface SortedEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type Leaf = SortedEntry[];

const leafEntriesMax = 128;

/**
 * A map sorted by unsigned bytes with free snapshots: two levels; the list of leaves and a leaf are copied before their
 * first change after a snapshot was taken. Made for up to a few hundred thousand keys.
 */
export class SortedMap {
  #leaves: Leaf[] = [];
  /** Leaves that no snapshot knows; undefined: no snapshot was ever taken. */
  #ownLeaves: Set<Leaf> | undefined;
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

  /** Sets or (undefined) removes; returns the entry that was there. Key and value are copied. */
  set(key: Uint8Array, value: Uint8Array | undefined): SortedEntry | undefined {
    const index = leafIndex(this.#leaves, key);
    const leaf = this.#leaves[index] ?? [];
    const position = entryIndex(leaf, key);
    const found = leaf[position];
    const isPresent = found !== undefined && compareBytes(found.key, key) === 0;
    if (value === undefined && !isPresent) return undefined;
    const changed = this.#changeable(index, leaf);
    if (value === undefined) changed.splice(position, 1);
    else if (isPresent) changed[position] = { key: found.key, value: copyOf(value) };
    else changed.splice(position, 0, { key: copyOf(key), value: copyOf(value) });
    if (!isPresent) this.#size++;
    else if (value === undefined) this.#size--;
    if (changed.length === 0 || changed.length > leafEntriesMax) this.#reshape(index, changed);
    return isPresent ? found : undefined;
  }

  /** The map as it is now, whatever is set later. */
  snapshot(): SortedSnapshot {
    this.#isShared = true;
    this.#ownLeaves = new Set();
    return new SortedSnapshot(this.#leaves);
  }

  /** The leaf in its place, so that no snapshot sees what happens to it. */
  #changeable(index: number, leaf: Leaf): Leaf {
    if (this.#isShared) {
      this.#leaves = this.#leaves.slice();
      this.#isShared = false;
    }
    const own = this.#ownLeaves === undefined || this.#ownLeaves.has(leaf) ? leaf : leaf.slice();
    this.#ownLeaves?.add(own);
    this.#leaves[index] = own;
    return own;
  }

  /** A leaf that became empty goes; one that became too large is halved. */
  #reshape(index: number, leaf: Leaf): void {
    this.#ownLeaves?.delete(leaf);
    const middle = leaf.length >> 1;
    const parts = leaf.length === 0 ? [] : [leaf.slice(0, middle), leaf.slice(middle)];
    for (const part of parts) this.#ownLeaves?.add(part);
    this.#leaves.splice(index, 1, ...parts);
  }
}

const slabBytes = 65_536;
const slabShareMin = 65;
const slabShareMax = 4096;
let slab = new Uint8Array(slabBytes);
let slabUsedBytes = 0;

/** Middle-sized arrays share memory: one of its own costs more than everything else that is done for a row. */
function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < slabShareMin || bytes.length > slabShareMax) return bytes.slice();
  if (slabUsedBytes + bytes.length > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabUsedBytes = 0;
  }
  const copy = slab.subarray(slabUsedBytes, slabUsedBytes + bytes.length);
  copy.set(bytes);
  slabUsedBytes += bytes.length;
  return copy;
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
