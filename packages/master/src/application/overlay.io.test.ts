import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { toHex } from "@holdfast/base";
import { openLevelStore } from "@holdfast/runtime/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { orderedCount, orderedInsert, orderedRemove } from "../domain/ordered-index.ts";
import { readerOf, tablesOf, type Tables } from "../domain/tables.ts";
import { CachedStore } from "./cached-store.ts";
import { Overlay } from "./overlay.ts";
import { WriteBuffer } from "./write-buffer.ts";

const set = { family: 1, group: 7 };
const key = (number: number): Uint8Array => Uint8Array.of(number >> 8, number & 255);

describe("decisions on top of a state that LevelDB gives", () => {
  let folder: string;
  let store: CachedStore;
  const open = async (): Promise<CachedStore> => new CachedStore(await openLevelStore(folder));
  const commit = async (change: (tables: Tables) => void): Promise<void> => {
    const buffer = new WriteBuffer(store);
    change(tablesOf(buffer));
    await store.write(buffer.changes());
  };
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "holdfast-overlay-"));
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  it("change no row below, neither kept in front of the store nor in it", async () => {
    await commit((tables) => {
      for (let number = 0; number < 300; number++) orderedInsert(tables, set, key(2 * number));
    });
    // As after a restart: the rows that are read now come from the store.
    await store.close();
    store = await open();
    const rows = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const [name, stored] of store.range({}))
        found.push(`${toHex(name)} ${toHex(stored)} ${toHex(store.get(name) ?? new Uint8Array(0))}`);
      return found;
    };
    const before = await rows();
    const overlay = new Overlay(store);
    for (let number = 0; number < 200; number++)
      overlay.push(number, (buffer) => orderedInsert(tablesOf(buffer), set, key(2 * number + 1)));
    overlay.push(200, (buffer) => orderedRemove(tablesOf(buffer), set, key(0)));
    expect(orderedCount(readerOf(overlay), set)).toBe(499);
    expect(await rows()).toEqual(before);
    expect(orderedCount(readerOf(store), set)).toBe(300);
  });
});
