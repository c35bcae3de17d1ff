import { expect, test } from "vitest";
import { StateHashes } from "./state-hashes.ts";

const hash = (value: number): Uint8Array => new Uint8Array(32).fill(value);

test("the same indexes are kept however entries came in batches, and only what was seen", () => {
  const hashes = new StateHashes();
  // A node that began at 30: nothing is known of 0.
  for (let index = 30; index < 64; index++) hashes.note({ appliedIndex: index, stateHash: hash(index) }, index + 1);
  expect(hashes.list()).toEqual([]);
  // 64 to 69 carry no entry of the application.
  hashes.note({ appliedIndex: 63, stateHash: hash(63) }, 70);
  expect(hashes.list()).toEqual([{ index: 64, stateHash: hash(63) }]);
  hashes.note({ appliedIndex: 69, stateHash: hash(63) }, 70);
  // Passed over in one go: the newest of the indexes in between.
  hashes.note({ appliedIndex: 70, stateHash: hash(70) }, 200);
  expect(hashes.list().map(({ index }) => index)).toEqual([64, 192]);
  // A snapshot took the place of 200 to 300.
  hashes.forget();
  hashes.note({ appliedIndex: 330, stateHash: hash(3) }, 331);
  expect(hashes.list()).toEqual([]);
});

test("the newest are kept, a bounded number", () => {
  const hashes = new StateHashes();
  for (let index = 0; index < 10_000; index++) hashes.note({ appliedIndex: index, stateHash: hash(1) }, index + 1);
  expect(hashes.list()).toHaveLength(64);
  expect(hashes.list().at(-1)?.index).toBe(9984);
});
