import { createMemoryStore } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import type { Submission } from "../../application/submission.ts";
import { chunkTable, corruptTable } from "../../domain/chunks/tables.ts";
import { clusterTable } from "../../domain/state.ts";
import { type Table, tableKey, type TableReader } from "../../domain/tables.ts";
import { createDamagedController } from "./controller.ts";

const damagedCount = 700;

test("looks at all damaged chunks in turn, also behind many that stay so", async () => {
  const store = createMemoryStore();
  const ids = Array.from({ length: damagedCount }, (_, index) => index + 1);
  await store.write(
    ids.map((chunkId) => ({ key: tableKey(corruptTable, [chunkId]), value: corruptTable.value.encode({}) })),
  );
  const looks: number[][] = [];
  const submitter = {
    submit: async (submission: Submission) => {
      const seen: number[] = [];
      const tables: TableReader = {
        get: <K extends readonly unknown[], V>(table: Table<K, V>, key: K): V | undefined => {
          if (table.name === chunkTable.name) seen.push(Number(key[0]));
          return table.name === clusterTable.name ? ({ replication: 3 } as V) : undefined;
        },
      };
      submission.decide(tables, { atMs: 1, term: 1, actor: "t", writeCopiesMin: 2, nodes: new Map() });
      looks.push(seen);
      return { index: 1, outcome: {}, events: [] };
    },
  };
  const controller = createDamagedController({ intervalMs: 1000, store, submitter });
  for (let step = 0; step < 3; step++) await controller.step(() => true);
  expect(looks.slice(0, 2).flat()).toEqual(ids);
  expect(looks[2]?.[0], "and begins anew").toBe(1);
  await controller.step(() => false);
  expect(looks).toHaveLength(3);
});
