import { createMemoryStore } from "@holdfast/runtime/sim";
import type { KeyValueChange } from "@holdfast/runtime";
import { expect, test } from "vitest";
import { nodeBucketTable } from "../domain/chunks/tables.ts";
import { tableKey } from "../domain/tables.ts";
import { CachedStore } from "./cached-store.ts";
import { NodeDigests } from "./node-digests.ts";

function row(nodeId: number, bucket: number, digest: number): KeyValueChange {
  const value = digest === 0 ? undefined : nodeBucketTable.value.encode({ digest, chunkCount: 1 });
  return { key: tableKey(nodeBucketTable, [nodeId, bucket]), value };
}

test("what was there is read once, changes are followed, and another state is read anew", async () => {
  const told: { digests?: NodeDigests } = {};
  const below = createMemoryStore();
  const store = new CachedStore(below, { onWrite: (batch) => told.digests?.note(batch) });
  const digests = new NodeDigests(store);
  told.digests = digests;
  await store.write([row(1, 7, 100), row(300, 255, 5)]);
  const seen = (): readonly number[] => [digests.digestOf(1, 7), digests.digestOf(1, 8), digests.digestOf(300, 255)];
  expect(seen()).toEqual([100, 0, 5]);
  await store.write([row(1, 7, 2 ** 47), row(1, 8, 9), row(300, 255, 0)]);
  expect(seen()).toEqual([2 ** 47, 9, 0]);
  await below.write([row(1, 7, 3), row(1, 8, 0)]);
  store.forget();
  digests.forget();
  expect(seen()).toEqual([3, 0, 0]);
});

test("changes while a node's rows are read are not lost, whichever of both saw them", async () => {
  const told: { digests?: NodeDigests } = {};
  const store = new CachedStore(createMemoryStore(), { onWrite: (batch) => told.digests?.note(batch) });
  const digests = new NodeDigests(store);
  told.digests = digests;
  await store.write([row(1, 7, 100), row(1, 8, 9), row(2, 7, 1)]);
  const reading = digests.ready(1);
  await store.write([row(1, 7, 0), row(1, 9, 50)]);
  await reading;
  expect([7, 8, 9].map((bucket) => digests.digestOf(1, bucket))).toEqual([0, 9, 50]);
  const again = digests.ready(2);
  digests.forget();
  await store.write([row(2, 7, 2)]);
  await again;
  expect(digests.digestOf(2, 7)).toBe(2);
});

test("a thousand nodes at once are read one after another, and one that fails stops no other", async () => {
  const below = createMemoryStore();
  await below.write([row(1, 7, 100), row(3, 7, 5)]);
  let open = 0;
  const store = {
    get: (key: Uint8Array) => below.get(key),
    async *range(...range: Parameters<typeof below.range>) {
      open += 1;
      expect(open).toBe(1);
      const isSecond = range[0].start?.[4] === 2;
      if (isSecond) open -= 1;
      if (isSecond) throw new Error("the disk");
      yield* below.range(...range);
      open -= 1;
    },
    write: (batch: readonly KeyValueChange[]) => below.write(batch),
    snapshot: () => below.snapshot(),
    close: () => below.close(),
  };
  const digests = new NodeDigests(store);
  const ready = [1, 2, 3].map((nodeId) => digests.ready(nodeId));
  await expect(ready[1]).rejects.toThrow("the disk");
  await Promise.all([ready[0], ready[2]]);
  expect([digests.digestOf(1, 7), digests.digestOf(3, 7)]).toEqual([100, 5]);
});
