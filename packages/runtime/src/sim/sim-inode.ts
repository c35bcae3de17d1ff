import type { SeededRandom } from "./seeded-random.ts";

/** A change that a power cut may undo: what stood there before. */
interface UnsyncedChange {
  readonly positionBytes: number;
  readonly before: Uint8Array;
  readonly sizeBefore: number;
  readonly lengthBytes: number;
}

/** What a disk keeps or loses in one piece. */
const sectorBytes = 512;

/** A file's contents with the memory of what is not durable yet. */
export class SimInode {
  #bytes: Uint8Array = new Uint8Array(256);
  #sizeBytes = 0;
  #unsynced: UnsyncedChange[] = [];
  #isDoomed = false;
  #changeCount = 0;

  /** Grows with every change of the bytes; for those who remember what they found in them. */
  get changeCount(): number {
    return this.#changeCount;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether a power cut now could lose something. */
  get isSynced(): boolean {
    return this.#unsynced.length === 0;
  }

  read(positionBytes: number, lengthBytes: number): Uint8Array {
    return this.#bytes.slice(
      Math.min(positionBytes, this.#sizeBytes),
      Math.min(positionBytes + lengthBytes, this.#sizeBytes),
    );
  }

  write(bytes: Uint8Array, positionBytes: number): void {
    if (this.#isDoomed && this.#coversDoomed(bytes, positionBytes)) this.#writeAnew(bytes, positionBytes);
    else {
      this.#remember(positionBytes, bytes.length);
      this.#put(bytes, positionBytes);
    }
  }

  truncate(sizeBytes: number): void {
    this.#remember(sizeBytes, Math.max(0, this.#sizeBytes - sizeBytes));
    this.#resize(sizeBytes);
  }

  /** All changes so far survive a power cut; unless a sync failed before (Linux: the pages are clean but not stored). */
  sync(): void {
    if (!this.#isDoomed) this.#unsynced = [];
  }

  /** The sync failed: what was not durable will never be, whatever later syncs say, unless it is written anew. */
  failSync(): void {
    this.#isDoomed = true;
  }

  /** Turns one bit, in memory and on disk. */
  flipBit(positionBytes: number): void {
    this.#changeCount++;
    this.#bytes[positionBytes] = (this.#bytes[positionBytes] ?? 0) ^ 1;
  }

  /**
   * Loses unsynced changes: none, all, a tail of them (the last kept one torn at a sector), or single sectors of any.
   */
  powerCut(random: SeededRandom): void {
    const redo = this.#takeBack();
    const manner = random.integer(4);
    const keptCount = manner === 0 ? 0 : manner === 1 ? redo.length : random.integer(redo.length + 1);
    for (const [index, change] of redo.entries()) {
      if (manner < 3) {
        if (index < keptCount) this.#redo(change, change.bytes.length);
        else if (index === keptCount && manner === 2) this.#redo(change, tornLength(change.bytes.length, random));
      } else {
        this.#redoSectors(change, random);
      }
    }
    this.#unsynced = [];
    this.#isDoomed = false;
  }

  #coversDoomed(bytes: Uint8Array, positionBytes: number): boolean {
    const first = Math.min(...this.#unsynced.map((change) => change.positionBytes));
    return positionBytes <= first && positionBytes + bytes.length >= this.#sizeBytes;
  }

  /** All that is not durable is written over: its pages are dirty again, and the next sync stores them. */
  #writeAnew(bytes: Uint8Array, positionBytes: number): void {
    this.#takeBack();
    this.#unsynced = [];
    this.#isDoomed = false;
    this.#remember(positionBytes, Math.max(bytes.length, this.#sizeBytes - positionBytes));
    this.#put(bytes, positionBytes);
    this.#resize(positionBytes + bytes.length);
  }

  #takeBack(): Redo[] {
    const redo: Redo[] = [];
    for (const change of this.#unsynced.toReversed()) {
      const bytes = this.read(change.positionBytes, change.lengthBytes);
      redo.push({ positionBytes: change.positionBytes, bytes, sizeAfter: this.#sizeBytes });
      this.#put(change.before, change.positionBytes);
      this.#resize(change.sizeBefore);
    }
    return redo.reverse();
  }

  #redo(change: Redo, lengthBytes: number): void {
    this.#put(change.bytes.subarray(0, lengthBytes), change.positionBytes);
    if (lengthBytes === change.bytes.length && change.sizeAfter < this.#sizeBytes) this.#resize(change.sizeAfter);
  }

  #redoSectors(change: Redo, random: SeededRandom): void {
    for (let offset = 0; offset < change.bytes.length; offset += sectorBytes) {
      if (random.chance(0.5))
        this.#put(change.bytes.subarray(offset, offset + sectorBytes), change.positionBytes + offset);
    }
  }

  #remember(positionBytes: number, lengthBytes: number): void {
    const before = this.read(positionBytes, lengthBytes);
    this.#unsynced.push({ positionBytes, before, sizeBefore: this.#sizeBytes, lengthBytes });
  }

  #put(bytes: Uint8Array, positionBytes: number): void {
    this.#changeCount++;
    if (bytes.length === 0) return;
    this.#reserve(positionBytes + bytes.length);
    this.#bytes.set(bytes, positionBytes);
    this.#sizeBytes = Math.max(this.#sizeBytes, positionBytes + bytes.length);
  }

  #resize(sizeBytes: number): void {
    this.#changeCount++;
    this.#reserve(sizeBytes);
    if (sizeBytes < this.#sizeBytes) this.#bytes.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(sizeBytes, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = grown;
  }
}

interface Redo {
  readonly positionBytes: number;
  readonly bytes: Uint8Array;
  readonly sizeAfter: number;
}

function tornLength(lengthBytes: number, random: SeededRandom): number {
  return Math.min(lengthBytes, random.integer(Math.ceil(lengthBytes / sectorBytes) + 1) * sectorBytes);
}
