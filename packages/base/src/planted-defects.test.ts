import { expect, test } from "vitest";
import { isPlanted, withPlanted } from "./planted-defects.ts";

test("a defect is planted during the run and never after it, also when the run fails", async () => {
  expect(isPlanted("d")).toBe(false);
  expect(await withPlanted("d", () => [isPlanted("d"), isPlanted("e")])).toEqual([true, false]);
  await expect(withPlanted("d", () => Promise.reject(new Error("red")))).rejects.toThrow("red");
  expect(isPlanted("d")).toBe(false);
});
