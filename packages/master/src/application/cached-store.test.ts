import { createMemoryStore } from "@holdfast/runtime/sim";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CachedStore } from "./cached-store.ts";
import { WriteBuffer } from "./write-buffer.ts";

const key = (number: number): Uint8Array => Uint8Array.of(number);

describe("cached store", () => {
  it("always says what the store says, however small it is", () => {
    const step = fc.record({
      number: fc.nat(9),
      value: fc.option(fc.uint8Array({ maxLength: 40 })),
      isWrite: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(1, 300, 1000, 1e9), (steps, halfBytes) => {
        const store = createMemoryStore();
        const cached = new CachedStore(store, { halfBytes });
        for (const { number, value, isWrite } of steps) {
          if (isWrite) void cached.write([{ key: key(number), value: value ?? undefined }]);
          expect(cached.get(key(number))).toEqual(store.get(key(number)));
        }
        for (let number = 0; number < 10; number++) expect(cached.get(key(number))).toEqual(store.get(key(number)));
      }),
    );
  });

  it("does not read a row twice, nor the absence of one", async () => {
    const store = createMemoryStore();
    let reads = 0;
    const cached = new CachedStore({
      get: (each) => {
        reads += 1;
        return store.get(each);
      },
      write: (batch) => store.write(batch),
      range: (range) => store.range(range),
      close: () => store.close(),
    });
    await cached.write([{ key: key(1), value: key(7) }]);
    const buffer = new WriteBuffer(cached);
    for (let count = 0; count < 5; count++)
      expect([buffer.get(key(1)), buffer.get(key(2))]).toEqual([key(7), undefined]);
    expect(reads).toBe(1);
  });

  it("forgets what is not used and keeps what is", () => {
    const cached = new CachedStore(createMemoryStore(), { halfBytes: 2000 });
    for (let number = 0; number < 200; number++) cached.get(key(number));
    expect(cached.rowCount()).toBeLessThan(40);
  });

  it("does not keep large values", async () => {
    const cached = new CachedStore(createMemoryStore());
    await cached.write([{ key: key(1), value: new Uint8Array(100_000) }]);
    expect(cached.get(key(1))).toHaveLength(100_000);
    expect(cached.rowCount()).toBe(0);
  });
});
