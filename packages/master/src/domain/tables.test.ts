import { compareBytes } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventLogCursorTable, eventLogTable } from "../projections/event-log.ts";
import { MemoryView } from "../testing/memory-view.ts";
import * as accounts from "./accounts/state.ts";
import * as chunks from "./chunks/tables.ts";
import { blobPart, idPart, textPart, uint32Part, uint8Part } from "./codec/key-codec.ts";
import { blob, flag, listOf, nested, record, text, uint } from "./codec/value-codec.ts";
import { dedupRingTable, dedupTable } from "./dedup.ts";
import * as fleet from "./fleet/tables.ts";
import * as namespace from "./namespace/state.ts";
import { orderedCursorTable, orderedNodeTable } from "./ordered-index.ts";
import { clusterTable, counterTable, progressTable, usageTable } from "./state.ts";
import { defineTable, parseTableKey, readerOf, tableKey, tablesOf } from "./tables.ts";
import { uploadPartTable, uploadTable } from "./uploads/state.ts";

const everything: readonly unknown[] = [
  ...Object.values(accounts),
  ...Object.values(chunks),
  ...Object.values(fleet),
  ...Object.values(namespace),
  ...[orderedCursorTable, orderedNodeTable, clusterTable, counterTable, progressTable, usageTable],
  ...[dedupRingTable, dedupTable, uploadPartTable, uploadTable, eventLogCursorTable, eventLogTable],
];

function isTable(value: unknown): value is { readonly tag: number; readonly name: string } {
  return typeof value === "object" && value !== null && "tag" in value && "keyParts" in value;
}

describe("tables", () => {
  it("have tags and names of their own", () => {
    const tables = everything.filter(isTable);
    expect(tables.length).toBeGreaterThan(28);
    expect(new Set(tables.map((table) => table.tag)).size).toBe(tables.length);
    expect(new Set(tables.map((table) => table.name)).size).toBe(tables.length);
  });

  it("have keys that sort as their parts do and can be read back", () => {
    const table = defineTable({
      name: "test",
      tag: 0x7f,
      keyParts: [idPart, textPart, uint32Part, uint8Part, blobPart(2)],
      value: record<object>({}),
    });
    const parts = fc.tuple(
      fc.oneof(fc.nat(3), fc.maxSafeNat()),
      fc.string({ unit: "grapheme", maxLength: 6 }).filter((each) => !each.includes("\0")),
      fc.nat(0xffffffff),
      fc.nat(255),
      fc.uint8Array({ minLength: 2, maxLength: 2 }),
    );
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        expect(parseTableKey(table, tableKey(table, left))).toEqual(left);
        const order = Math.sign(compareBytes(tableKey(table, left), tableKey(table, right)));
        const byParts =
          left[0] - right[0] ||
          Buffer.compare(Buffer.from(left[1]), Buffer.from(right[1])) ||
          left[2] - right[2] ||
          left[3] - right[3] ||
          compareBytes(left[4], right[4]);
        expect(order).toBe(Math.sign(byParts));
        expect(tableKey(table, left).subarray(0, 9)).toEqual(tableKey(table, [left[0]]));
      }),
    );
  });

  it("refuse keys that can't be written", () => {
    expect(() => tableKey(namespace.childTable, [1, "a\0b"])).toThrowError(/NUL/);
    expect(() => tableKey(namespace.entryTable, [-1])).toThrowError(/safe integer/);
    expect(() => tableKey(namespace.entryTable, [1.5])).toThrowError(/safe integer/);
    expect(() => tableKey(uploadPartTable, ["a", 2 ** 32])).toThrowError(/width/);
    expect(() => tableKey(accounts.sessionTable, [new Uint8Array(31)])).toThrowError(/width/);
    // A failed key leaves nothing behind for the next one.
    expect(tableKey(clusterTable, [])).toEqual(Uint8Array.of(clusterTable.tag));
  });
});

interface Sample {
  readonly count: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isOn: boolean;
  readonly ids: readonly number[];
  readonly pairs: readonly { readonly left: number; readonly right: string }[];
}

const sample = record<Sample>({
  count: uint,
  name: text,
  bytes: blob,
  isOn: flag,
  ids: listOf(uint),
  pairs: listOf(nested({ left: uint, right: text })),
});

describe("records", () => {
  it("are read back as they were written", () => {
    const values = fc.record({
      count: fc.maxSafeNat(),
      name: fc.string({ unit: "grapheme" }),
      bytes: fc.uint8Array(),
      isOn: fc.boolean(),
      ids: fc.array(fc.maxSafeNat()),
      pairs: fc.array(fc.record({ left: fc.nat(), right: fc.string({ unit: "grapheme" }) })),
    });
    fc.assert(
      fc.property(values, (value) => {
        expect(sample.decode(sample.encode(value))).toEqual(value);
      }),
    );
  });

  it("that are older and shorter have nothing in the newer fields", () => {
    const older = record<Pick<Sample, "count" | "name">>({ count: uint, name: text });
    expect(sample.decode(older.encode({ count: 7, name: "x" }))).toEqual({
      ...{ count: 7, name: "x", isOn: false, ids: [], pairs: [] },
      bytes: new Uint8Array(0),
    });
  });

  it("that are cut inside a field are a bug", () => {
    const bytes = sample.encode({ count: 300, name: "name", bytes: Uint8Array.of(1), isOn: true, ids: [1], pairs: [] });
    for (let length = 3; length < 7; length++)
      expect(() => sample.decode(bytes.slice(0, length))).toThrowError(/record/);
  });

  it("do not share their bytes with what reads them", () => {
    const view = new MemoryView();
    tablesOf(view).set(dedupTable, ["a"], { index: 1, atMs: 2, outcome: Uint8Array.of(3) });
    readerOf(view).get(dedupTable, ["a"])?.outcome.fill(9);
    expect(readerOf(view).get(dedupTable, ["a"])?.outcome).toEqual(Uint8Array.of(3));
  });
});
