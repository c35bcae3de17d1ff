import { compareBytes } from "@holdfast/base";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KeyValueChange, KeyValueRange, KeyValueStore } from "../ports/key-value-store.ts";

/** A store under test. */
export interface KeyValueStoreHarness {
  readonly store: KeyValueStore;
  /** Closes and opens it again: what was written is there. */
  reopen(): Promise<KeyValueStore>;
  stop(): Promise<void>;
}

const key = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);

async function read(store: KeyValueStore, range: KeyValueRange = {}): Promise<(readonly [number[], number[]])[]> {
  const pairs: (readonly [number[], number[]])[] = [];
  for await (const [name, value] of store.range(range)) pairs.push([[...name], [...value]]);
  return pairs;
}

/** What every version of the KeyValueStore port promises. */
export function keyValueStoreContract(name: string, start: () => Promise<KeyValueStoreHarness>): void {
  describe(`key-value store contract: ${name}`, () => {
    let harness: KeyValueStoreHarness;
    let store: KeyValueStore;
    beforeEach(async () => {
      harness = await start();
      store = harness.store;
    });
    afterEach(() => harness.stop());

    test("get sees a batch before its promise settles, and after", async () => {
      const written = store.write([
        { key: key(1), value: key(10) },
        { key: key(2), value: key() },
      ]);
      expect(store.get(key(1))).toEqual(expect.objectContaining({ 0: 10, length: 1 }));
      expect(store.get(key(2))?.length).toBe(0);
      await written;
      expect([...(store.get(key(1)) ?? [])]).toEqual([10]);
      expect(store.get(key(3))).toBeUndefined();
      const removed = store.write([{ key: key(1), value: undefined }], { isDurable: true });
      expect(store.get(key(1))).toBeUndefined();
      await removed;
      expect(store.get(key(1))).toBeUndefined();
    });

    test("what is read is a plain array: its slice is a copy, and changing that changes nothing here", async () => {
      await store.write([{ key: key(1), value: key(10, 11) }]);
      store = await harness.reopen();
      const frozen = await store.snapshot();
      const pairs = [];
      for await (const pair of store.range({})) pairs.push(...pair);
      for await (const pair of frozen.range({})) pairs.push(...pair);
      for (const bytes of [store.get(key(1)), frozen.get(key(1)), ...pairs]) {
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
        bytes?.slice().fill(0);
        expect(bytes?.[0]).not.toBe(0);
      }
      await frozen.close();
    });

    test("batches take effect in call order, also within one", async () => {
      const writes = [1, 2, 3, 4, 5].map((value) =>
        store.write([{ key: key(7), value: key(value) }], { isDurable: value === 3 }),
      );
      expect([...(store.get(key(7)) ?? [])]).toEqual([5]);
      await Promise.all(writes);
      await store.write([
        { key: key(8), value: key(1) },
        { key: key(8), value: undefined },
        { key: key(8), value: key(2) },
      ]);
      expect(await read(store)).toEqual([
        [[7], [5]],
        [[8], [2]],
      ]);
    });

    test("keys sort by unsigned bytes, shorter before longer", async () => {
      const keys = [key(255), key(0), key(1, 0), key(1), key(128), key(127, 255)];
      await store.write(keys.map((name) => ({ key: name, value: key(0) })));
      expect((await read(store)).map(([name]) => name)).toEqual([[0], [1], [1, 0], [127, 255], [128], [255]]);
    });

    test("range: bounds, direction, limit, emptiness", async () => {
      await store.write([1, 2, 3, 4, 5].map((value) => ({ key: key(value), value: key(value) })));
      const names = async (range: KeyValueRange): Promise<number[]> =>
        (await read(store, range)).map(([name]) => name[0] ?? -1);
      expect(await names({ start: key(2), end: key(5) })).toEqual([2, 3, 4]);
      expect(await names({ start: key(2), end: key(5), isReversed: true })).toEqual([4, 3, 2]);
      expect(await names({ end: key(3), isReversed: true, limit: 1 })).toEqual([2]);
      expect(await names({ start: key(4), limit: 9 })).toEqual([4, 5]);
      expect(await names({ start: key(6) })).toEqual([]);
      expect(await names({ start: key(3), end: key(3) })).toEqual([]);
      expect(await names({ start: key(2, 1), limit: 1 })).toEqual([3]);
    });

    test("a range sees every write called before it and, once begun, none after", async () => {
      const early = store.write([
        { key: key(1), value: key(1) },
        { key: key(2), value: key(1) },
      ]);
      const iterator = store.range({})[Symbol.asyncIterator]();
      expect((await iterator.next()).value?.[0][0]).toBe(1);
      await store.write([
        { key: key(2), value: key(9) },
        { key: key(3), value: key(9) },
      ]);
      const second = (await iterator.next()).value;
      expect([...(second?.[1] ?? [])]).toEqual([1]);
      expect((await iterator.next()).done).toBe(true);
      await early;
    });

    test("a range that is left early leaves the store usable", async () => {
      await store.write([1, 2, 3].map((value) => ({ key: key(value), value: key(value) })));
      for await (const [name] of store.range({})) if (name[0] === 1) break;
      expect((await read(store)).length).toBe(3);
    });

    test("a snapshot has every earlier write and no later one, however long it is open", async () => {
      void store.write([{ key: key(1), value: key(10) }]).catch(() => undefined);
      await store.write([{ key: key(2), value: key(20) }]);
      const snapshot = await store.snapshot();
      await store.write([
        { key: key(1), value: undefined },
        { key: key(2), value: key(21) },
        { key: key(3), value: key(30) },
      ]);
      const pairs: number[][] = [];
      for await (const [name, value] of snapshot.range({ start: key(1) })) pairs.push([...name, ...value]);
      expect(pairs).toEqual([
        [1, 10],
        [2, 20],
      ]);
      expect([...(snapshot.get(key(2)) ?? [])]).toEqual([20]);
      expect(snapshot.get(key(3))).toBeUndefined();
      expect(await snapshot.sizeBytesEstimate()).toBeGreaterThanOrEqual(0);
      await snapshot.close();
      await snapshot.close();
      expect(store.get(key(1))).toBeUndefined();
    });

    test("what the caller does with its arrays after write has settled changes nothing", async () => {
      const name = key(1);
      const value = key(2);
      await store.write([{ key: name, value }]);
      name[0] = 9;
      value[0] = 9;
      expect(await read(store)).toEqual([[[1], [2]]]);
    });

    test("closed: further calls fail; opened again: all is there", async () => {
      void store.write([{ key: key(1), value: key(1) }]).catch(() => undefined);
      const again = await harness.reopen();
      expect(() => store.get(key(1))).toThrow(/closed/);
      expect([...(again.get(key(1)) ?? [])]).toEqual([1]);
    });

    test("agrees with a plain model over random batches and ranges", async () => {
      const smallKey = fc.uint8Array({ maxLength: 2 });
      const batch = fc.array(
        fc.record({ key: smallKey, value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }) }),
        { maxLength: 8 },
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(batch, { maxLength: 10 }),
          smallKey,
          smallKey,
          fc.boolean(),
          async (batches, start, end, isReversed) => {
            await clear(store);
            const model = new Map<string, readonly [Uint8Array, Uint8Array]>();
            for (const changes of batches) {
              store.write(changes as readonly KeyValueChange[]).catch(() => undefined);
              for (const { key: name, value } of changes) {
                if (value === undefined) model.delete(String(name));
                else model.set(String(name), [name, value]);
              }
            }
            for (const [name, value] of model.values()) expect([...(store.get(name) ?? [])]).toEqual([...value]);
            const expected = [...model.values()]
              .filter(([name]) => compareBytes(name, start) >= 0 && compareBytes(name, end) < 0)
              .sort((left, right) => compareBytes(left[0], right[0]))
              .map(([name, value]) => [[...name], [...value]]);
            expect(await read(store, { start, end, isReversed })).toEqual(isReversed ? expected.reverse() : expected);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}

async function clear(store: KeyValueStore): Promise<void> {
  const removals: KeyValueChange[] = [];
  for await (const [name] of store.range({})) removals.push({ key: name, value: undefined });
  await store.write(removals);
}
