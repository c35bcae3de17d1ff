import { compareBytes } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryView } from "../testing/memory-view.ts";
import {
  orderedCount,
  orderedHas,
  orderedInsert,
  orderedNodeTable,
  orderedPage,
  orderedPageAfter,
  orderedRank,
  orderedRemove,
} from "./ordered-index.ts";
import { tablesOf } from "./tables.ts";

const set = { family: 1, group: 7 };

function key(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 255);
}

describe("ordered set", () => {
  it("keeps keys in order through any inserts and removals", () => {
    const step = fc.record({ isInsert: fc.boolean(), number: fc.nat(1500) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1200 }), fc.nat(1500), (steps, probe) => {
        const tables = tablesOf(new MemoryView());
        const model = new Set<number>();
        for (const { isInsert, number } of steps) {
          const wasThere = model.has(number);
          if (isInsert) {
            expect(orderedInsert(tables, set, key(number))).toBe(!wasThere);
            model.add(number);
          } else {
            expect(orderedRemove(tables, set, key(number))).toBe(wasThere);
            model.delete(number);
          }
        }
        const numbers = [...model].sort((left, right) => left - right);
        expect(orderedCount(tables, set)).toBe(numbers.length);
        expect(orderedPage(tables, set, { offset: 0, limit: 5000 })).toEqual(numbers.map(key));
        expect(orderedRank(tables, set, key(probe))).toBe(numbers.filter((number) => number < probe).length);
        expect(orderedHas(tables, set, key(probe))).toBe(model.has(probe));
        const behind = numbers.filter((number) => number > probe).slice(0, 50);
        expect(orderedPageAfter(tables, set, { key: key(probe), limit: 50 })).toEqual(behind.map(key));
      }),
      { numRuns: 60 },
    );
  });

  it("gives every page of 6,000 keys that came in order, backwards and shuffled", () => {
    for (const orderOf of [(i: number) => i, (i: number) => 5_999 - i, (i: number) => (i * 7919) % 6_000]) {
      const tables = tablesOf(new MemoryView());
      for (let index = 0; index < 6_000; index++) orderedInsert(tables, set, key(orderOf(index)));
      expect(orderedCount(tables, set)).toBe(6_000);
      for (const offset of [0, 1, 63, 64, 2_999, 5_950, 5_999, 6_000, 99_999]) {
        const expected = Array.from({ length: Math.max(0, Math.min(100, 6_000 - offset)) }, (_, index) =>
          key(offset + index),
        );
        expect(orderedPage(tables, set, { offset, limit: 100 })).toEqual(expected);
      }
    }
  });

  it("leaves nothing behind when it is emptied", () => {
    const view = new MemoryView();
    const tables = tablesOf(view);
    for (let index = 0; index < 2000; index++) orderedInsert(tables, set, key(index));
    for (let index = 0; index < 2000; index++) expect(orderedRemove(tables, set, key((index * 7) % 2000))).toBe(true);
    expect(view.dump()).toEqual([]);
  });

  it("does not mix groups and families", () => {
    const tables = tablesOf(new MemoryView());
    orderedInsert(tables, set, key(1));
    expect(orderedCount(tables, { family: 1, group: 8 })).toBe(0);
    expect(orderedCount(tables, { family: 2, group: 7 })).toBe(0);
  });

  it("reads few nodes for a page far inside", () => {
    const view = new MemoryView();
    const tables = tablesOf(view);
    for (let index = 0; index < 20_000; index++) orderedInsert(tables, set, key(index));
    let gets = 0;
    const counting = tablesOf({
      get: (raw) => {
        gets += 1;
        return view.get(raw);
      },
      set: () => undefined,
      delete: () => undefined,
    });
    const page = orderedPage(counting, set, { offset: 15_555, limit: 200 });
    expect(page).toHaveLength(200);
    expect(gets).toBeLessThan(12);
    expect(view.rowsOf(orderedNodeTable.tag).length).toBeLessThan(400);
    expect(page.every((found, index) => compareBytes(found, key(15_555 + index)) === 0)).toBe(true);
  });
});
