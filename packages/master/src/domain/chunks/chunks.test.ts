import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideDropDamaged } from "./decide-damaged.ts";
import { decideTrimExtra, decideTrimGarbage } from "./decide-replicas.ts";
import { orderUnderReplicated } from "./health.ts";
import { chunkTable, corruptTable, isHeld } from "./tables.ts";
import { ChunkWorld, nodeCount } from "./testing/chunk-world.ts";

const anyStep = fc.record({
  what: fc.constantFrom(
    "store",
    "hold",
    "release",
    "added",
    "corrupt",
    "missing",
    "listed",
    "garbage",
    "extra",
    "dropDamaged",
    "trimmed",
    "down",
    "up",
  ),
  nodeId: fc.integer({ min: 1, max: nodeCount }),
  chunkId: fc.integer({ min: 1, max: 12 }),
});

function take(world: ChunkWorld, step: { what: string; nodeId: number; chunkId: number }): void {
  const { nodeId, chunkId } = step;
  const copies = [world.copy(chunkId)];
  const row = world.tables.get(chunkTable, [chunkId]);
  world.atMs += 1;
  if (step.what === "store") world.store(2 + (chunkId % 2));
  if (step.what === "hold" && row !== undefined && isHeld(row)) world.hold([chunkId], { uploadId: "u" });
  if (step.what === "release") world.release([chunkId], chunkId % 2 === 0 ? "purged" : "uploadEnded");
  if (step.what === "added") world.report(nodeId, { added: copies });
  if (step.what === "corrupt") world.report(nodeId, { corrupt: copies });
  if (step.what === "missing") world.report(nodeId, { missingChunkIds: [chunkId] });
  if (step.what === "listed") world.report(nodeId, { listed: copies });
  if (step.what === "trimmed") world.report(nodeId, { trimmed: copies });
  if (step.what === "garbage") world.fold(...decideTrimGarbage(world.tables, [chunkId], world.context));
  if (step.what === "extra") world.fold(...decideTrimExtra(world.tables, { chunkId, nodeId }, world.context));
  if (step.what === "dropDamaged") world.fold(...decideDropDamaged(world.tables, [chunkId], world.context));
  if (step.what === "down") world.fold({ kind: "nodeDown", nodeId, reason: "test", drillId: 0 });
  if (step.what === "up") world.fold({ kind: "nodeUp", nodeId });
}

describe("chunk tables", () => {
  test("after any history the kept counts, sets and digests are what a recount finds", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const world = new ChunkWorld();
        for (const step of steps) take(world, step);
        expect(world.incremental()).toEqual(world.recomputed());
        expect(world.memory.count(corruptTable)).toBe(world.health().corrupt);
      }),
      { numRuns: 300 },
    );
  });

  test("no history makes a held chunk's last counting copy go by a trim order", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const world = new ChunkWorld();
        for (const step of steps) {
          const before = world.confirmed(step.chunkId);
          const isTrim = ["extra", "garbage", "dropDamaged"].includes(step.what);
          const row = world.tables.get(chunkTable, [step.chunkId]);
          const isNeeded = row !== undefined && isHeld(row);
          take(world, step);
          const after = world.confirmed(step.chunkId);
          if (isTrim && isNeeded && after.length < before.length) expect(after.length).toBeGreaterThanOrEqual(3);
        }
      }),
    );
  });

  test("the death of a node changes health and not one chunk row", () => {
    const world = new ChunkWorld();
    for (let count = 0; count < 20; count++) world.store();
    const rows = world.memory.rows(chunkTable);
    expect(world.health()).toEqual({ total: 20, healthy: 20, under: 0, over: 0, missing: 0, corrupt: 0 });
    world.fold({ kind: "nodeDown", nodeId: 1, reason: "silent", drillId: 0 });
    const held = rows.filter((row) => row.confirmedNodeIds.includes(1)).length;
    expect(world.health()).toMatchObject({ healthy: 20 - held, under: held });
    expect(world.memory.rows(chunkTable)).toEqual(rows);
    world.fold({ kind: "nodeUp", nodeId: 1 });
    expect(world.health()).toMatchObject({ healthy: 20, under: 0 });
  });

  test("repair work comes by copies left: one before two, unreadable ones last", () => {
    const view = { replication: 3, isUp: (nodeId: number) => nodeId !== 9 };
    const sets = ["1,2,9", "1,9", "1,2,3", "9", "2,3"].map((key) => ({ key, heldCount: 1 }));
    expect(orderUnderReplicated(sets, view).map((set) => [set.key, set.copies])).toEqual([
      ["1,9", 1],
      ["1,2,9", 2],
      ["2,3", 2],
      ["9", 0],
    ]);
  });
});
