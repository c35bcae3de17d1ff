import { hash } from "node:crypto";
import { concatBytes } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import type { ChunkRange, ChunkStore, HeldChunk, InventoryListener } from "./chunk-store.ts";

/** Remembers what a store told, in order. */
export class RecordingInventory implements InventoryListener {
  readonly events: string[] = [];

  added(chunk: HeldChunk): void {
    this.events.push(`added ${chunk.chunkId}.${chunk.generation}`);
  }
  trimmed(chunk: HeldChunk): void {
    this.events.push(`trimmed ${chunk.chunkId}.${chunk.generation}`);
  }
  corrupt(chunk: HeldChunk): void {
    this.events.push(`corrupt ${chunk.chunkId}.${chunk.generation}`);
  }
}

/** A store under test. */
export interface StoreUnderTest {
  readonly store: ChunkStore;
  readonly inventory: RecordingInventory;
  /** Damages one bit of a stored copy behind the store's back. */
  damage(chunk: HeldChunk, offsetBytes: number): Promise<void>;
}

/** Bytes that tell where they are. */
export function sampleBytes(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let index = 0; index < lengthBytes; index++) bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 255;
  return bytes;
}

/** SHA-256. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}

/** Writes a chunk in frames of the given size. */
export async function writeChunk(
  store: ChunkStore,
  chunkId: number,
  bytes: Uint8Array,
  frameBytes = 100_000,
): Promise<HeldChunk> {
  const chunk = { chunkId, generation: 1, lengthBytes: bytes.length };
  const write = await store.beginWrite(chunk);
  try {
    for (let offset = 0; offset < bytes.length; offset += frameBytes) {
      await write.append(bytes.subarray(offset, offset + frameBytes));
    }
    await write.commit(sha256Of(bytes));
  } finally {
    await write.abort();
  }
  return chunk;
}

/** Everything a read yields. */
export async function readAll(store: ChunkStore, range: ChunkRange): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(range)) pieces.push(piece);
  return concatBytes(pieces);
}

/** A range that is the whole chunk. */
export function wholeOf(chunk: HeldChunk): ChunkRange {
  return { ...chunk, offsetBytes: 0, lengthBytes: undefined };
}

/** What every `ChunkStore` does. `run` opens a fresh, empty store and drives the body to its end. */
export function describeChunkStore(
  name: string,
  run: (body: (subject: StoreUnderTest) => Promise<void>) => Promise<void>,
): void {
  const chunkOf = (lengthBytes: number): HeldChunk => ({ chunkId: 9, generation: 1, lengthBytes });

  describe(`${name} as a ChunkStore`, () => {
    it.each([1, 65_535, 65_536, 65_537, 700_001])("gives back a chunk of %i bytes", (lengthBytes) =>
      run(async ({ store, inventory }) => {
        const bytes = sampleBytes(lengthBytes);
        const chunk = await writeChunk(store, 1, bytes);
        expect(await readAll(store, wholeOf(chunk))).toEqual(bytes);
        expect((await store.facts(chunk))?.sha256).toEqual(sha256Of(bytes));
        expect(store.status()).toMatchObject({ chunkCount: 1, usedBytes: lengthBytes, activeWriteCount: 0 });
        expect(inventory.events).toEqual(["added 1.1"]);
      }),
    );

    it("gives back any range", () =>
      run(async ({ store }) => {
        const bytes = sampleBytes(300_000);
        await writeChunk(store, 2, bytes);
        for (const [offsetBytes, lengthBytes] of [
          [0, 1],
          [65_535, 2],
          [65_536, 65_536],
          [299_999, 1],
          [10, 250_000],
        ] as const) {
          const read = await readAll(store, { chunkId: 2, generation: 1, offsetBytes, lengthBytes });
          expect(read).toEqual(bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
        }
      }));

    it("refuses ranges outside of the chunk and chunks it does not have", () =>
      run(async ({ store }) => {
        await writeChunk(store, 2, sampleBytes(10));
        const range = { chunkId: 2, generation: 1, offsetBytes: 0, lengthBytes: 11 };
        await expect(readAll(store, range)).rejects.toMatchObject({ kind: "invalidArgument" });
        await expect(readAll(store, { ...range, offsetBytes: 10, lengthBytes: undefined })).rejects.toMatchObject({
          kind: "invalidArgument",
        });
        await expect(readAll(store, { ...range, generation: 2 })).rejects.toMatchObject({ kind: "notFound" });
        expect(await store.facts({ chunkId: 3, generation: 1 })).toBeUndefined();
      }));

    it.each([
      { chunkId: 0, generation: 1, lengthBytes: 1 },
      { chunkId: 1, generation: 0, lengthBytes: 1 },
      { chunkId: 1, generation: 1, lengthBytes: 0 },
      { chunkId: 1, generation: 1, lengthBytes: 64 * 1024 * 1024 + 1 },
      { chunkId: 1.5, generation: 1, lengthBytes: 1 },
    ])("refuses to begin %o", (chunk) =>
      run(async ({ store }) => {
        await expect(store.beginWrite(chunk)).rejects.toMatchObject({ kind: "invalidArgument" });
      }),
    );

    it("keeps nothing of a write with another checksum, too few or too many bytes", () =>
      run(async ({ store, inventory }) => {
        const wrong = await store.beginWrite(chunkOf(4));
        await wrong.append(sampleBytes(4));
        await expect(wrong.commit(sha256Of(sampleBytes(5)))).rejects.toMatchObject({ kind: "checksumMismatch" });
        const short = await store.beginWrite(chunkOf(4));
        await short.append(sampleBytes(3));
        await expect(short.commit(sha256Of(sampleBytes(3)))).rejects.toMatchObject({ kind: "invalidArgument" });
        const long = await store.beginWrite(chunkOf(4));
        await expect(long.append(sampleBytes(5))).rejects.toMatchObject({ kind: "tooLarge" });
        await long.abort();
        expect(store.status()).toMatchObject({ chunkCount: 0, usedBytes: 0, activeWriteCount: 0 });
        expect(inventory.events).toEqual([]);
      }));

    it("keeps nothing of an aborted write, and an aborted write takes nothing more", () =>
      run(async ({ store }) => {
        const write = await store.beginWrite(chunkOf(500_000));
        await write.append(sampleBytes(400_000));
        await write.abort();
        await write.abort();
        await expect(write.append(sampleBytes(100_000))).rejects.toMatchObject({ kind: "cancelled" });
        expect(store.has(chunkOf(500_000))).toBe(false);
      }));

    it("acknowledges the same chunk again and refuses other bytes", () =>
      run(async ({ store, inventory }) => {
        const bytes = sampleBytes(1000);
        await writeChunk(store, 9, bytes);
        await writeChunk(store, 9, bytes);
        await expect(writeChunk(store, 9, sampleBytes(1000, 2))).rejects.toMatchObject({ kind: "checksumMismatch" });
        await expect(writeChunk(store, 9, sampleBytes(999))).rejects.toMatchObject({ kind: "checksumMismatch" });
        expect(await readAll(store, wholeOf(chunkOf(1000)))).toEqual(bytes);
        expect(inventory.events).toEqual(["added 9.1"]);
      }));

    it("lets two writers of the same chunk both succeed, and one of two that disagree", () =>
      run(async ({ store, inventory }) => {
        const bytes = sampleBytes(300_000);
        await Promise.all([writeChunk(store, 9, bytes), writeChunk(store, 9, bytes)]);
        expect(inventory.events).toEqual(["added 9.1"]);
        const outcomes = await Promise.allSettled([
          writeChunk(store, 10, bytes),
          writeChunk(store, 10, sampleBytes(300_000, 5)),
        ]);
        expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"]);
      }));

    it("trims to nothing, twice if asked", () =>
      run(async ({ store, inventory }) => {
        const chunk = await writeChunk(store, 5, sampleBytes(100));
        await store.trim(chunk, 3);
        await store.trim(chunk, 3);
        expect(store.has(chunk)).toBe(false);
        await expect(readAll(store, wholeOf(chunk))).rejects.toMatchObject({ kind: "notFound" });
        expect(inventory.events).toEqual(["added 5.1", "trimmed 5.1", "trimmed 5.1"]);
        expect(store.status()).toMatchObject({ chunkCount: 0, usedBytes: 0 });
      }));

    it("never serves damaged bytes, and says so once", () =>
      run(async ({ store, inventory, damage }) => {
        const chunk = await writeChunk(store, 6, sampleBytes(200_000));
        await damage(chunk, 150_000);
        await expect(readAll(store, wholeOf(chunk))).rejects.toMatchObject({ kind: "dataLoss" });
        await expect(readAll(store, wholeOf(chunk))).rejects.toMatchObject({ kind: "notFound" });
        expect(inventory.events).toEqual(["added 6.1", "corrupt 6.1"]);
        await writeChunk(store, 6, sampleBytes(200_000));
        expect(await readAll(store, wholeOf(chunk))).toEqual(sampleBytes(200_000));
      }));

    it("finds damage when it verifies", () =>
      run(async ({ store, inventory, damage }) => {
        const [whole, hurt] = [
          await writeChunk(store, 7, sampleBytes(200_000)),
          await writeChunk(store, 8, sampleBytes(200_000)),
        ];
        await damage(hurt, 3);
        expect([await store.verify(whole), await store.verify(hurt), await store.verify(hurt)]).toEqual([
          true,
          false,
          true,
        ]);
        expect(inventory.events.at(-1)).toBe("corrupt 8.1");
      }));

    it("digests and lists what it has", () =>
      run(async ({ store }) => {
        const empty = store.bucketDigests();
        const chunks = [];
        for (const chunkId of [1, 257, 2]) chunks.push(await writeChunk(store, chunkId, sampleBytes(10 * chunkId)));
        expect(new Set(store.listBucket(1).map(({ chunkId }) => chunkId))).toEqual(new Set([1, 257]));
        expect(empty).toEqual(Array(256).fill(0));
        const filled = store.bucketDigests().flatMap((digest, bucket) => (digest > 0 ? [bucket] : []));
        expect(filled).toEqual([1, 2]);
        for (const chunk of chunks) await store.trim(chunk, 1);
        expect(store.bucketDigests()).toEqual(empty);
      }));
  });
}
