import { assert } from "@holdfast/base";

const segmentBits = 22;
const segmentSize = 1 << segmentBits;

/**
 * Distinct sequences of 32-bit numbers, numbered in order of arrival, each with where it came from. Compact (the numbers
 * themselves and 12 bytes), and exact: equality compares all numbers, not a digest.
 */
export class StateTable {
  readonly #segments: Int32Array[] = [];
  #used = 0;
  #count = 0;
  #offsets = new Uint32Array(1 << 16);
  #hashes = new Uint32Array(1 << 16);
  #slots = new Int32Array(1 << 18).fill(-1);

  get count(): number {
    return this.#count;
  }

  /** Bytes held. */
  get bytes(): number {
    const fixed = this.#offsets.byteLength + this.#hashes.byteLength + this.#slots.byteLength;
    return this.#segments.length * segmentSize * 4 + fixed;
  }

  /** Adds the first `length` numbers of `words`; whether they are new. `origin` is two numbers of the caller's. */
  add(words: Int32Array, length: number, origin: { readonly parent: number; readonly action: number }): boolean {
    const hash = hashOf(words, length);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let known = this.#slots[slot] ?? -1; known >= 0; known = this.#slots[slot] ?? -1) {
      if (this.#hashes[known] === hash && this.#isEqual(known, words, length)) return false;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#count;
    this.#append(words, length, { hash, ...origin });
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return true;
  }

  /** Copies state `number` into `words`; its length. */
  read(number: number, words: Int32Array): number {
    const { segment, at, length } = this.#locate(number);
    for (let place = 0; place < length; place++) words[place] = segment[at + 3 + place] ?? 0;
    return length;
  }

  /** Which state it was first reached from, by which action. */
  originOf(number: number): { readonly parent: number; readonly action: number } {
    const { segment, at } = this.#locate(number);
    return { parent: segment[at + 1] ?? -1, action: segment[at + 2] ?? 0 };
  }

  #locate(number: number): { readonly segment: Int32Array; readonly at: number; readonly length: number } {
    const offset = this.#offsets[number] ?? 0;
    const segment = this.#segments[offset >>> segmentBits];
    assert(segment !== undefined && number < this.#count, "the state is there");
    const at = offset & (segmentSize - 1);
    return { segment, at, length: segment[at] ?? 0 };
  }

  #isEqual(known: number, words: Int32Array, length: number): boolean {
    const { segment, at, length: knownLength } = this.#locate(known);
    if (knownLength !== length) return false;
    for (let place = 0; place < length; place++) if (segment[at + 3 + place] !== words[place]) return false;
    return true;
  }

  /** No record crosses a segment's end. */
  #append(words: Int32Array, length: number, record: { hash: number; parent: number; action: number }): void {
    const size = length + 3;
    if (this.#used + size > this.#segments.length * segmentSize) {
      this.#used = this.#segments.length * segmentSize;
      this.#segments.push(new Int32Array(segmentSize));
    }
    if (this.#count === this.#offsets.length) {
      this.#offsets = doubled(this.#offsets);
      this.#hashes = doubled(this.#hashes);
    }
    const segment = this.#segments[this.#used >>> segmentBits];
    assert(segment !== undefined, "there is room");
    const at = this.#used & (segmentSize - 1);
    segment[at] = length;
    segment[at + 1] = record.parent;
    segment[at + 2] = record.action;
    for (let place = 0; place < length; place++) segment[at + 3 + place] = words[place] ?? 0;
    this.#offsets[this.#count] = this.#used;
    this.#hashes[this.#count] = record.hash;
    this.#used += size;
    this.#count++;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      let slot = (this.#hashes[number] ?? 0) & mask;
      while ((slots[slot] ?? -1) >= 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(words.length * 2);
  more.set(words);
  return more;
}

/** MurmurHash3's mixing over 32-bit numbers. */
function hashOf(words: Int32Array, length: number): number {
  let hash = length;
  for (let place = 0; place < length; place++) {
    let word = Math.imul(words[place] ?? 0, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
