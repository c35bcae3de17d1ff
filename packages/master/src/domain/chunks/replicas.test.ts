import { must } from "@holdfast/base";
import { describe, expect, test } from "vitest";
import type { DomainEvent } from "../events.ts";
import { decideDropDamaged } from "./decide-damaged.ts";
import { decideTrimExtra, decideTrimGarbage } from "./decide-replicas.ts";
import { decideReportBadReplica, grantLifetimeMs } from "./decide.ts";
import {
  chunkTable,
  copySetTable,
  garbageTable,
  grantedTable,
  grantExpiryTable,
  nodeBucketTable,
  trimTable,
} from "./tables.ts";
import { ChunkWorld, nodeCount, sha256 } from "./testing/chunk-world.ts";

describe("garbage", () => {
  test("a purged chunk is ordered away everywhere and forgotten when the last node has carried it out", () => {
    const world = new ChunkWorld();
    const chunkId = world.store(2);
    world.release([chunkId], "purged");
    const orders = decideTrimGarbage(world.tables, [chunkId], world.context);
    expect(orders.map((order) => order.kind === "trimOrdered" && [order.reason, order.term])).toEqual([
      ["purged", 4],
      ["purged", 4],
      ["purged", 4],
    ]);
    world.fold(...orders);
    expect(decideTrimGarbage(world.tables, [chunkId], world.context)).toEqual([]);
    expect(world.confirmed(chunkId)).toEqual([]);
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) world.report(nodeId, { trimmed: [world.copy(chunkId)] });
    for (const table of [chunkTable, garbageTable, trimTable, copySetTable, nodeBucketTable, grantedTable]) {
      expect(world.memory.rows(table as typeof chunkTable), table.name).toEqual([]);
    }
  });

  test("a returning node's copy of a chunk that was ordered away does not count again", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    world.release([chunkId], "purged");
    world.fold(...decideTrimGarbage(world.tables, [chunkId], world.context));
    for (const nodeId of [1, 2, 3, 4, 5]) {
      if (world.tables.get(trimTable, [nodeId, chunkId]) === undefined) continue;
      expect(world.report(nodeId, { added: [world.copy(chunkId)], listed: [world.copy(chunkId)] })).toEqual([]);
    }
  });

  test("a copy that arrives after its chunk is over goes, at that node alone; ids that were never given out stay", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    world.release([chunkId], "purged");
    world.fold(...decideTrimGarbage(world.tables, [chunkId], world.context));
    for (const nodeId of [1, 2, 3, 4, 5]) world.report(nodeId, { trimmed: [world.copy(chunkId)] });
    expect(world.tables.get(chunkTable, [chunkId])).toBeUndefined();
    const late = world.copy(chunkId);
    const order = { kind: "trimOrdered", chunkId, nodeId: 2, term: world.context.term, reason: "left-over" };
    expect(world.report(2, { added: [late], listed: [late] })).toMatchObject([order]);
    expect(world.report(2, { listed: [late] })).toEqual([]);
    expect(world.report(2, { trimmed: [late] })).toMatchObject([{ kind: "replicaTrimmed", chunkId, nodeId: 2 }]);
    expect(world.memory.count(trimTable)).toBe(0);
    const [granted] = world.grant(1);
    const waiting = world.copy(granted?.chunkId ?? 0);
    const foreign = world.copy(1_000_000);
    expect(world.report(2, { added: [waiting, foreign], listed: [waiting, foreign] })).toEqual([]);
  });

  test("granted ids that were never used are ordered away after their time, at every place", () => {
    const world = new ChunkWorld();
    const [used, unused] = world.grant(2);
    world.fold({
      kind: "chunkPlaced",
      chunkId: used?.chunkId ?? 0,
      generation: 1,
      lengthBytes: 1,
      sha256,
      nodeIds: [1, 2, 3],
      confirmedNodeIds: [1, 2],
    });
    world.hold([used?.chunkId ?? 0], { entryId: 1 });
    const ids = [used?.chunkId ?? 0, unused?.chunkId ?? 0];
    expect(decideTrimGarbage(world.tables, ids, world.context)).toEqual([]);
    world.atMs += grantLifetimeMs;
    const orders = decideTrimGarbage(world.tables, ids, world.context);
    expect(orders.map((order) => order.kind === "trimOrdered" && `${order.chunkId} ${order.reason}`)).toEqual(
      Array(3).fill(`${unused?.chunkId} grant-expired`),
    );
    world.fold(...orders);
    expect(world.memory.count(grantExpiryTable)).toBe(0);
    expect(world.memory.count(trimTable)).toBe(3);
  });

  test("an ended upload does not take what a version holds by then", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    world.release([chunkId], "uploadEnded");
    expect(world.memory.count(garbageTable)).toBe(0);
    world.release([chunkId], "purged");
    expect(world.memory.count(garbageTable)).toBe(1);
    world.hold([chunkId], { uploadId: "u" });
    expect(world.memory.count(garbageTable)).toBe(0);
  });

  test("an extra copy goes only while as many others as wanted count on nodes that are up", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    const spare = must(
      [1, 2, 3, 4, 5].find((nodeId) => !world.confirmed(chunkId).includes(nodeId)),
      "five nodes, three copies",
    );
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: world.confirmed(chunkId)[0] ?? 0 }, world.context)).toEqual(
      [],
    );
    const others = world.confirmed(chunkId);
    world.report(spare, { added: [world.copy(chunkId)] });
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: spare }, world.context)).toMatchObject([
      { kind: "trimOrdered", reason: "extra", confirmedNodeIds: others, term: 4 },
    ]);
    world.fold({ kind: "nodeDown", nodeId: others[0] ?? 0, reason: "test", drillId: 0 });
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: spare }, world.context)).toEqual([]);
  });
});

describe("reports", () => {
  test("a report said twice is one fact; unknown chunks and wrong lengths are left alone", () => {
    const world = new ChunkWorld();
    const chunkId = world.store(2);
    const third = must(
      world.memory.rows(chunkTable)[0]?.placedNodeIds.find((nodeId) => !world.confirmed(chunkId).includes(nodeId)),
      "three places, two copies",
    );
    expect(world.report(third, { added: [{ ...world.copy(chunkId), lengthBytes: 1 }, world.copy(500)] })).toEqual([]);
    expect(world.report(third, { added: [world.copy(chunkId)] })).toEqual([
      { kind: "replicaConfirmed", chunkIds: [chunkId], nodeId: third },
    ]);
    expect(world.report(third, { added: [world.copy(chunkId)], trimmed: [world.copy(chunkId)] })).toEqual([]);
  });

  test("a damaged copy counts again only when it was written anew, not because it is still listed", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    const nodeId = must(world.confirmed(chunkId)[0], "a stored chunk has copies");
    world.report(nodeId, { corrupt: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ under: 1, corrupt: 1 });
    expect(world.report(nodeId, { listed: [world.copy(chunkId)], corrupt: [world.copy(chunkId)] })).toEqual([]);
    world.report(nodeId, { added: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ healthy: 1, corrupt: 0 });
  });

  test("a reader's word does not take the last copy that counts", () => {
    const world = new ChunkWorld();
    const chunkId = world.store(2);
    const [first = 0, second = 0] = world.confirmed(chunkId);
    const report = (nodeId: number): readonly DomainEvent[] => {
      const decided = decideReportBadReplica(
        world.tables,
        { kind: "reportBadReplica", chunkId, nodeId, reason: "corrupt" },
        world.context,
      );
      return decided.ok ? decided.value.events : [];
    };
    expect(report(first)).toEqual([
      { kind: "replicaLost", chunkIds: [chunkId], nodeId: first, reason: "corrupt", drillId: 0 },
    ]);
    world.fold({ kind: "nodeDown", nodeId: second, reason: "test", drillId: 0 });
    expect(report(first)).toEqual([]);
    world.fold({ kind: "nodeUp", nodeId: second });
    world.fold(...report(first));
    expect(report(second)).toEqual([]);
  });
});

describe("a damaged copy of a chunk that got its copies elsewhere", () => {
  test("is given up with the others as evidence, and the chunk is not called damaged any more", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    world.hold([chunkId], { entryId: 1 });
    const [damagedId = 0, ...others] = world.confirmed(chunkId);
    world.report(damagedId, { corrupt: [world.copy(chunkId)] });
    expect(decideDropDamaged(world.tables, [chunkId], world.context), "two copies are too few").toEqual([]);
    const spareId = must(
      [1, 2, 3, 4, 5].find((nodeId) => nodeId !== damagedId && !others.includes(nodeId)),
      "a node without a copy",
    );
    world.fold({ kind: "replicaPlaced", chunkIds: [chunkId], nodeId: spareId, reason: "balance" });
    expect(decideDropDamaged(world.tables, [chunkId], world.context), "an expected copy proves nothing").toEqual([]);
    world.report(spareId, { added: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ healthy: 1, corrupt: 1 });
    const orders = decideDropDamaged(world.tables, [chunkId, 999], world.context);
    const evidence = [...others, spareId].sort((left, right) => left - right);
    expect(orders).toMatchObject([{ nodeId: damagedId, reason: "damaged", confirmedNodeIds: evidence }]);
    world.fold(...orders);
    expect(decideDropDamaged(world.tables, [chunkId], world.context), "once").toEqual([]);
    world.report(damagedId, { trimmed: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ healthy: 1, corrupt: 0 });
    expect(world.tables.get(chunkTable, [chunkId])?.placedNodeIds).not.toContain(damagedId);
  });
});
