import { HoldfastError } from "@holdfast/base";
import type { KeyValueChange, Timers } from "@holdfast/runtime";
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
      snapshot: () => store.snapshot(),
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

/** Timers that a test lets fire. */
class ManualTimers implements Timers {
  private readonly waiting = new Set<() => void>();

  after(_delayMs: number, callback: () => void): { cancel(): void } {
    this.waiting.add(callback);
    return { cancel: () => void this.waiting.delete(callback) };
  }

  every(): never {
    throw new Error("the cached store asks for single timers only");
  }

  sleep(): never {
    throw new Error("the cached store does not sleep");
  }

  fire(): void {
    const due = [...this.waiting];
    this.waiting.clear();
    for (const callback of due) callback();
  }
}

describe("a cached store that gathers", () => {
  const observed = (isBroken = false) => {
    const memory = createMemoryStore();
    const batches: { readonly changes: readonly KeyValueChange[]; readonly isDurable: boolean }[] = [];
    const timers = new ManualTimers();
    const cached = new CachedStore(
      {
        get: (each) => memory.get(each),
        write: async (changes, options) => {
          batches.push({ changes, isDurable: options?.isDurable ?? false });
          if (isBroken) throw new HoldfastError("diskFailed", "the disk is gone");
          await memory.write(changes);
        },
        range: (range) => memory.range(range),
        snapshot: () => memory.snapshot(),
        close: () => memory.close(),
      },
      { timers, halfBytes: 200 },
    );
    return { memory, batches, timers, cached };
  };

  it("says at once what was written, and hands it on as one batch", async () => {
    const { batches, timers, cached, memory } = observed();
    for (let round = 0; round < 5; round++) {
      await cached.write([
        { key: key(1), value: key(round) },
        { key: key(10 + round), value: new Uint8Array(70_000) },
      ]);
      expect(cached.get(key(1))).toEqual(key(round));
      expect(cached.get(key(10 + round))).toHaveLength(70_000);
    }
    await cached.write([{ key: key(10), value: undefined }]);
    expect(cached.get(key(10))).toBeUndefined();
    expect(batches).toEqual([]);
    timers.fire();
    expect(batches.map(({ changes }) => changes.length)).toEqual([6]);
    expect([memory.get(key(1)), memory.get(key(10))]).toEqual([key(4), undefined]);
    timers.fire();
    expect(batches).toHaveLength(1);
  });

  it("makes everything before a durable write durable with it, in one batch", async () => {
    const { batches, cached } = observed();
    await cached.write([{ key: key(1), value: key(1) }]);
    await cached.write([], { isDurable: true });
    expect(batches).toEqual([{ changes: [{ key: key(1), value: key(1) }], isDurable: true }]);
  });

  it("lists what was written a moment ago", async () => {
    const { cached } = observed();
    await cached.write([{ key: key(1), value: key(1) }]);
    const rows: (readonly [Uint8Array, Uint8Array])[] = [];
    for await (const row of cached.range({})) rows.push(row);
    expect(rows).toEqual([[key(1), key(1)]]);
  });

  it("hands on what gathered before it closes", async () => {
    const { batches, cached } = observed();
    await cached.write([{ key: key(1), value: key(1) }]);
    await cached.close();
    expect(batches).toHaveLength(1);
  });

  it("does not wait for ever: beyond the limit the writer waits for the store", async () => {
    const { batches, cached } = observed();
    await cached.write([{ key: key(1), value: new Uint8Array(9 * 2 ** 20) }]);
    expect(batches).toHaveLength(1);
  });

  it("tells the next writer that the store failed, and writes no more", async () => {
    const { batches, timers, cached } = observed(true);
    await cached.write([{ key: key(1), value: key(1) }]);
    timers.fire();
    await Promise.resolve();
    await expect(cached.write([{ key: key(2), value: key(2) }])).rejects.toMatchObject({ kind: "diskFailed" });
    expect(batches).toHaveLength(1);
  });
});
