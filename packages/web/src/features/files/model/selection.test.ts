import { describe, expect, test } from "vitest";
import {
  clear,
  emptySelection,
  focusOn,
  isSelected,
  selectAll,
  selectedCount,
  selectForMenu,
  selectOnly,
  selectRange,
  toggle,
  withoutVanished,
} from "./selection.ts";

const picked = (selection: { readonly ids: ReadonlySet<number> }) =>
  [...selection.ids].sort((left, right) => left - right);

describe("selection", () => {
  test("a click selects one and sets anchor and focus", () => {
    const selection = selectOnly(7);
    expect(selection).toEqual({ mode: "some", ids: new Set([7]), anchorId: 7, focusId: 7, rangeIds: [] });
  });

  test("Ctrl+click adds and removes, and moves the anchor", () => {
    const two = toggle(selectOnly(1), 2);
    expect(picked(two)).toEqual([1, 2]);
    expect(two.anchorId).toBe(2);
    expect(picked(toggle(two, 1))).toEqual([2]);
  });

  test("a Shift range replaces the last range only, and keeps what was picked singly", () => {
    const single = toggle(selectOnly(1), 10);
    const long = selectRange(single, [10, 11, 12, 13], 13);
    expect(picked(long)).toEqual([1, 10, 11, 12, 13]);
    const short = selectRange(long, [10, 11], 11);
    expect(picked(short)).toEqual([1, 10, 11]);
    expect(short.anchorId).toBe(10);
    expect(short.focusId).toBe(11);
  });

  test("select all counts without listing, and exceptions are taken off", () => {
    const all = toggle(selectAll(emptySelection), 5);
    expect(selectedCount(all, 100_000)).toBe(99_999);
    expect(isSelected(all, 5)).toBe(false);
    expect(isSelected(all, 6)).toBe(true);
    expect(selectedCount(selectRange(all, [4, 5, 6], 6), 100_000)).toBe(100_000);
  });

  test("Esc clears but keeps the focus; clearing nothing changes nothing", () => {
    expect(clear(selectOnly(3))).toMatchObject({ mode: "some", ids: new Set(), focusId: 3 });
    const none = focusOn(emptySelection, 3);
    expect(clear(none)).toBe(none);
  });

  test("a right click keeps a selection it is in and replaces one it is not in", () => {
    const two = toggle(selectOnly(1), 2);
    expect(picked(selectForMenu(two, 1))).toEqual([1, 2]);
    expect(picked(selectForMenu(two, 9))).toEqual([9]);
  });

  test("a vanished row leaves silently and hands on the focus", () => {
    const selection = selectRange(selectOnly(1), [1, 2, 3], 3);
    const after = withoutVanished(selection, 3, 4);
    expect(picked(after)).toEqual([1, 2]);
    expect(after.focusId).toBe(4);
    expect(withoutVanished(selection, 99, 4)).toBe(selection);
  });
});
