import { createMemoryStore } from "@holdfast/runtime/sim";
import type { KeyValueChange } from "@holdfast/runtime";
import { expect, test } from "vitest";
import { copySetTable } from "../domain/chunks/tables.ts";
import { tableKey } from "../domain/tables.ts";
import { CopySetIndex } from "./copy-set-index.ts";

function change(key: string, heldCount: number): KeyValueChange {
  const value = copySetTable.value.encode({ chunkCount: heldCount, heldCount, heldBytes: heldCount * 10 });
  return { key: tableKey(copySetTable, [key]), value: heldCount === 0 ? undefined : value };
}

const other: KeyValueChange = { key: Uint8Array.of(0x24, 1), value: Uint8Array.of(1) };

async function indexOf(
  ...rows: KeyValueChange[]
): Promise<{ index: CopySetIndex; write: (...changes: KeyValueChange[]) => Promise<void> }> {
  const store = createMemoryStore();
  const index = new CopySetIndex();
  index.readFrom(store);
  await store.write(rows);
  const write = (...changes: KeyValueChange[]): Promise<void> => {
    index.note(changes);
    return store.write(changes);
  };
  return { index, write };
}

const byKey = (left: unknown[], right: unknown[]): number => String(left[0]).localeCompare(String(right[0]));
const counts = async (index: CopySetIndex): Promise<unknown> =>
  (await index.sets()).map(({ key, nodeIds, heldCount }) => [key, nodeIds, heldCount]).toSorted(byKey);

test("what was there is read, and every change is followed", async () => {
  const { index, write } = await indexOf(change("1,2", 3), other);
  expect(await counts(index)).toEqual([["1,2", [1, 2], 3]]);
  const before = await index.sets();
  await write(other);
  expect(await index.sets()).toBe(before);
  await write(change("1,2", 0), change("", 1), change("2,3", 7));
  expect(await counts(index)).toEqual([
    ["", [], 1],
    ["2,3", [2, 3], 7],
  ]);
});

test("changes while the rows are read are not lost, whichever of both saw them", async () => {
  const { index, write } = await indexOf(change("1", 1), change("2", 2));
  const asked = index.sets();
  await write(change("1", 0), change("2", 5), change("3", 3));
  expect((await asked).length).toBe(2);
  expect(await counts(index)).toEqual([
    ["2", [2], 5],
    ["3", [3], 3],
  ]);
});

test("another state is read anew, also when it comes while the old one is being read", async () => {
  const { index, write } = await indexOf(change("1", 1));
  const asked = index.sets();
  index.forget();
  await write(change("1", 0), change("9", 9));
  await asked;
  expect(await counts(index)).toEqual([["9", [9], 9]]);
  index.forget();
  await write(change("9", 8));
  expect(await counts(index)).toEqual([["9", [9], 8]]);
});
