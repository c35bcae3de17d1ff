import { hash } from "node:crypto";
import { assert } from "@holdfast/base";
import type { ChunkKey, HeldChunk } from "./chunk-store.ts";

/** Buckets an inventory is compared by. */
export const bucketCount = 256;
const digestModulus = 2 ** 48;
/** Multiplier that leaves room for a length of up to 64 MiB below the generation. */
const generationUnit = 2 ** 27;
const slotsMin = 1024;
const scratch = Buffer.alloc(16);

/** Digest of one copy, 48 bits (docs/formats/chunk-file.md, "Digest of the inventory"). */
export function copyDigest(chunk: HeldChunk): number {
  scratch.writeUInt32BE(Math.floor(chunk.chunkId / 2 ** 32), 0);
  scratch.writeUInt32BE(chunk.chunkId >>> 0, 4);
  scratch.writeUInt32BE(chunk.generation, 8);
  scratch.writeUInt32BE(chunk.lengthBytes, 12);
  return hash("sha256", scratch, "buffer").readUIntBE(0, 6);
}

/** Bucket of a chunk. */
export function bucketOf(chunkId: number): number {
  return chunkId % bucketCount;
}

/**
 * The inventory in memory: (chunk id, generation) -> length in about 24 bytes a copy (open addressing over typed arrays,
 * linear probing, deletion by shifting back), with the bucket digests kept as copies come and go.
 */
export class ChunkIndex {
  // A chunk id is never 0: 0 marks a free slot.
  #ids = new Float64Array(slotsMin);
  #values = new Float64Array(slotsMin);
  readonly #digests = new Float64Array(bucketCount);
  readonly #counts = new Uint32Array(bucketCount);
  #count = 0;
  #usedBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Sum of the lengths. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Length of a copy, or undefined. */
  lengthOf(key: ChunkKey): number | undefined {
    const slot = this.#find(key);
    return slot === undefined ? undefined : this.#valueAt(slot) % generationUnit;
  }

  /** Adds a copy; false when it is there already. */
  add(chunk: HeldChunk): boolean {
    assert(chunk.chunkId > 0, "chunk ids start at 1");
    assert(chunk.lengthBytes < generationUnit, "a length fits the index");
    assert(chunk.generation < 2 ** 26, "a generation fits the index");
    if (this.#find(chunk) !== undefined) return false;
    if ((this.#count + 1) * 10 > this.#ids.length * 7) this.#grow();
    this.#insert(chunk.chunkId, chunk.generation * generationUnit + chunk.lengthBytes);
    this.#account(chunk, 1);
    return true;
  }

  /** Removes a copy; undefined when there was none. */
  remove(key: ChunkKey): HeldChunk | undefined {
    const slot = this.#find(key);
    if (slot === undefined) return undefined;
    const removed = this.#chunkAt(slot);
    this.#shiftBack(slot);
    this.#account(removed, -1);
    return removed;
  }

  /** All copies, in no promised order; the index must not change meanwhile. */
  *all(): Generator<HeldChunk> {
    for (let slot = 0; slot < this.#ids.length; slot++) if (this.#ids[slot] !== 0) yield this.#chunkAt(slot);
  }

  /** All copies of one bucket. */
  listBucket(bucket: number): HeldChunk[] {
    const chunks: HeldChunk[] = [];
    if (this.#counts[bucket] === 0) return chunks;
    for (let slot = 0; slot < this.#ids.length; slot++) {
      const chunkId = this.#ids[slot] ?? 0;
      if (chunkId !== 0 && bucketOf(chunkId) === bucket) chunks.push(this.#chunkAt(slot));
    }
    return chunks;
  }

  /** Of all 256 buckets, in their order. */
  digests(): number[] {
    return Array.from(this.#digests);
  }

  #account(chunk: HeldChunk, sign: 1 | -1): void {
    const bucket = bucketOf(chunk.chunkId);
    const digest = (this.#digests[bucket] ?? 0) + sign * copyDigest(chunk);
    this.#digests[bucket] = (digest + digestModulus) % digestModulus;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + sign;
    this.#count += sign;
    this.#usedBytes += sign * chunk.lengthBytes;
  }

  #valueAt(slot: number): number {
    return this.#values[slot] ?? 0;
  }

  #chunkAt(slot: number): HeldChunk {
    const value = this.#valueAt(slot);
    return {
      chunkId: this.#ids[slot] ?? 0,
      generation: Math.floor(value / generationUnit),
      lengthBytes: value % generationUnit,
    };
  }

  #homeOf(chunkId: number): number {
    // Fibonacci hashing of both halves: ids of one log are neighbours, and neighbours must not form runs.
    const mixed = Math.imul(chunkId >>> 0, 0x9e3779b1) ^ Math.imul(Math.floor(chunkId / 2 ** 32), 0x85ebca6b);
    return (mixed >>> 7) & (this.#ids.length - 1);
  }

  #find(key: ChunkKey): number | undefined {
    const mask = this.#ids.length - 1;
    for (let slot = this.#homeOf(key.chunkId); this.#ids[slot] !== 0; slot = (slot + 1) & mask) {
      const isSame = this.#ids[slot] === key.chunkId;
      if (isSame && Math.floor(this.#valueAt(slot) / generationUnit) === key.generation) return slot;
    }
    return undefined;
  }

  #insert(chunkId: number, value: number): void {
    const mask = this.#ids.length - 1;
    let slot = this.#homeOf(chunkId);
    while (this.#ids[slot] !== 0) slot = (slot + 1) & mask;
    this.#ids[slot] = chunkId;
    this.#values[slot] = value;
  }

  #grow(): void {
    const ids = this.#ids;
    const values = this.#values;
    this.#ids = new Float64Array(ids.length * 2);
    this.#values = new Float64Array(ids.length * 2);
    ids.forEach((chunkId, slot) => {
      if (chunkId !== 0) this.#insert(chunkId, values[slot] ?? 0);
    });
  }

  /** Knuth 6.4 algorithm R: closes the hole so that no probe ends early. */
  #shiftBack(removedSlot: number): void {
    const mask = this.#ids.length - 1;
    let hole = removedSlot;
    for (let slot = (hole + 1) & mask; this.#ids[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#homeOf(this.#ids[slot] ?? 0);
      const isHomeBetween = hole <= slot ? hole < home && home <= slot : hole < home || home <= slot;
      if (isHomeBetween) continue;
      this.#ids[hole] = this.#ids[slot] ?? 0;
      this.#values[hole] = this.#valueAt(slot);
      hole = slot;
    }
    this.#ids[hole] = 0;
    this.#values[hole] = 0;
  }
}
