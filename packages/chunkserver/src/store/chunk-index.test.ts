import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkIndex, copyDigest } from "./chunk-index.ts";

describe("ChunkIndex", () => {
  it("digests as docs/formats/chunk-file.md says", () => {
    expect(copyDigest({ chunkId: 1, generation: 1, lengthBytes: 4_194_304 })).toBe(55_737_133_733_294);
  });

  it("agrees with a plain map whatever comes and goes", () => {
    const key = fc.record({
      chunkId: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 20 })),
      generation: fc.integer({ min: 1, max: 2 }),
    });
    const step = fc.record({
      key,
      lengthBytes: fc.integer({ min: 1, max: 64 * 1024 * 1024 }),
      isRemoval: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const index = new ChunkIndex();
        const model = new Map<string, number>();
        for (const { key: chunk, lengthBytes, isRemoval } of steps) {
          const name = `${chunk.chunkId}.${chunk.generation}`;
          if (isRemoval) {
            expect(index.remove(chunk)?.lengthBytes).toBe(model.get(name));
            model.delete(name);
          } else {
            expect(index.add({ ...chunk, lengthBytes })).toBe(!model.has(name));
            if (!model.has(name)) model.set(name, lengthBytes);
          }
          expect(index.lengthOf(chunk)).toBe(model.get(name));
        }
        expect(index.count).toBe(model.size);
        const listed = Array.from({ length: 256 }, (_, bucket) => index.listBucket(bucket)).flat();
        expect(new Map(listed.map((chunk) => [`${chunk.chunkId}.${chunk.generation}`, chunk.lengthBytes]))).toEqual(
          model,
        );
        const fresh = new ChunkIndex();
        for (const chunk of listed) fresh.add(chunk);
        expect(fresh.digests()).toEqual(index.digests());
      }),
    );
  });

  it("grows to many neighbouring ids", () => {
    const index = new ChunkIndex();
    for (let chunkId = 1; chunkId <= 50_000; chunkId++) index.add({ chunkId, generation: 1, lengthBytes: chunkId });
    for (let chunkId = 2; chunkId <= 50_000; chunkId += 2) index.remove({ chunkId, generation: 1 });
    expect(index.count).toBe(25_000);
    for (let chunkId = 1; chunkId <= 50_000; chunkId++) {
      expect(index.lengthOf({ chunkId, generation: 1 })).toBe(chunkId % 2 === 1 ? chunkId : undefined);
    }
  });
});
