import { expect, test } from "vitest";
import { emptyTypeAhead, findTyped, withLetter } from "./type-ahead.ts";

const names = ["Apple", "Berry", "Blue", "Cherry", "bread"];
const rows = { count: names.length, nameAt: (row: number) => names[row] };

test("letters within 600 ms belong together, later ones begin anew", () => {
  const typed = withLetter(withLetter(emptyTypeAhead, "B", 1000), "l", 1500);
  expect(typed.text).toBe("bl");
  expect(withLetter(typed, "c", 2200).text).toBe("c");
});

test("one letter goes to the next name, more letters may stay", () => {
  expect(findTyped({ text: "b", atMs: 0 }, 1, rows)).toBe(2);
  expect(findTyped({ text: "be", atMs: 0 }, 1, rows)).toBe(1);
  expect(findTyped({ text: "a", atMs: 0 }, 3, rows)).toBe(0);
  expect(findTyped({ text: "x", atMs: 0 }, 3, rows)).toBeUndefined();
});

test("the same letter again walks on", () => {
  expect(findTyped({ text: "bb", atMs: 0 }, 2, rows)).toBe(4);
  expect(findTyped({ text: "bbb", atMs: 0 }, 4, rows)).toBe(1);
});

test("an empty folder has nothing to go to", () => {
  expect(findTyped({ text: "b", atMs: 0 }, 0, { count: 0, nameAt: () => undefined })).toBeUndefined();
});
