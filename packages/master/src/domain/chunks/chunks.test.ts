import { must } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DecideContext, ObservedNode } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { evolveFleet } from "../fleet/evolve.ts";
import { listNodes } from "../fleet/tables.ts";
import { clusterTable, noteId, readCounter } from "../state.ts";
import { decideChunksWritten, decideGrantChunks, decideReportBadReplica, grantLifetimeMs } from "./decide.ts";
import { decideCopyReport, decideTrimExtra, decideTrimGarbage, type CopyReport } from "./decide-replicas.ts";
import { evolveChunks, evolveChunksHeld, evolveChunksReleased } from "./evolve.ts";
import { countHealth, orderUnderReplicated, type CountedCopySet } from "./health.ts";
import { addDigests, bucketOf, copyDigest } from "./inventory-digest.ts";
import {
  chunkTable,
  copySetChunkTable,
  copySetTable,
  corruptCounter,
  corruptTable,
  garbageTable,
  grantedTable,
  grantExpiryTable,
  isHeld,
  nodeBucketTable,
  trimTable,
} from "./tables.ts";
import { MemoryTables } from "./testing/memory-tables.ts";

const sha256 = new Uint8Array(32).fill(7);
const nodeCount = 5;
const chunkSizeBytes = 4 * 1024 ** 2;

class World {
  readonly memory = new MemoryTables();
  readonly tables = this.memory.tables;
  atMs = 1000;

  constructor() {
    this.tables.set(clusterTable, [], { clusterId: "c".repeat(32), chunkSizeBytes, replication: 3 });
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      const names = { nodeUuid: `${nodeId}`.padStart(32, "0"), name: `node-${nodeId}`, address: `127.0.0.1:${7000 + nodeId}` };
      const place = { ip: "127.0.0.1", mac: "00:00:00:00:00:00", capacityBytes: 1e12, zone: "" };
      this.fold({ kind: "nodeJoined", nodeId, ...names, ...place });
    }
  }

  get context(): DecideContext {
    const nodes = new Map<number, ObservedNode>();
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      const load = { activeWriteCount: 0, activeReadCount: 0, chunkCount: 0 };
      const space = { usedBytes: 0, freeBytes: 1e12, capacityBytes: 1e12, diskState: "ok" as const };
      nodes.set(nodeId, { nodeId, liveness: "live", ...space, ...load });
    }
    return { atMs: this.atMs, term: 4, actor: "test", writeCopiesMin: 2, nodes };
  }

  fold(...events: readonly DomainEvent[]): void {
    const at = { index: 1, atMs: this.atMs, actor: "test" };
    for (const event of events) {
      if (event.kind === "nodeJoined") noteId(this.tables, "node", event.nodeId);
      if (event.kind === "chunksGranted") for (const { chunkId } of event.chunks) noteId(this.tables, "chunk", chunkId);
      if (event.kind === "nodeJoined" || event.kind === "nodeReported" || event.kind === "nodeDown" || event.kind === "nodeUp") {
        evolveFleet(this.tables, event, at);
      } else evolveChunks(this.tables, event as Parameters<typeof evolveChunks>[1], at);
    }
  }

  hold(chunkIds: readonly number[], holder: { uploadId: string } | { entryId: number }): void {
    const at = { index: 1, atMs: this.atMs, actor: "test" };
    const whose = "uploadId" in holder ? ({ kind: "upload", ...holder } as const) : ({ kind: "version", versionId: 1, ...holder } as const);
    evolveChunksHeld(this.tables, { chunkIds, holder: whose }, at);
  }

  release(chunkIds: readonly number[], reason: "purged" | "uploadEnded"): void {
    evolveChunksReleased(this.tables, { chunkIds, reason }, { index: 1, atMs: this.atMs, actor: "test" });
  }

  grant(count: number): readonly { chunkId: number; nodeIds: readonly number[] }[] {
    const decided = decideGrantChunks(this.tables, { kind: "grantChunks", gateway: "g", count, avoidNodeIds: [] }, this.context);
    if (!decided.ok) throw new Error(decided.error.message);
    this.fold(...decided.value.events);
    return (decided.value.outcome.grant?.chunks ?? []).map(({ chunkId, places }) => ({ chunkId, nodeIds: places.map((place) => place.nodeId) }));
  }

  /** Places a chunk and lets a file hold it. */
  store(confirmedCount = 3): number {
    const { chunkId, nodeIds } = must(this.grant(1)[0], "a grant of one chunk has one");
    const chunk = { chunkId, generation: 1, lengthBytes: 100 + chunkId, sha256, nodeIds, confirmedNodeIds: nodeIds.slice(0, confirmedCount) };
    const decided = decideChunksWritten(this.tables, [chunk], this.context);
    if (!decided.ok) throw new Error(decided.error.message);
    this.fold(...decided.value);
    this.hold([chunkId], { entryId: 10 + chunkId });
    return chunkId;
  }

  report(nodeId: number, report: Partial<CopyReport>): readonly DomainEvent[] {
    const nothing = { added: [], corrupt: [], trimmed: [], listed: [], missingChunkIds: [] };
    const events = decideCopyReport(this.tables, { nodeId, ...nothing, ...report });
    this.fold(...events);
    return events;
  }

  copy(chunkId: number): { chunkId: number; generation: number; lengthBytes: number } {
    return { chunkId, generation: 1, lengthBytes: 100 + chunkId };
  }

  confirmed(chunkId: number): readonly number[] {
    return this.tables.get(chunkTable, [chunkId])?.confirmedNodeIds ?? [];
  }

  /** Health from the incremental rows. */
  health(): ReturnType<typeof countHealth> & { corrupt: number } {
    const up = new Set(listNodes(this.tables).filter((row) => !row.isDown).map((row) => row.nodeId));
    const view = { replication: 3, isUp: (nodeId: number) => up.has(nodeId) };
    return { ...countHealth(this.sets(), view), corrupt: readCounter(this.tables, corruptCounter) };
  }

  sets(): CountedCopySet[] {
    const keys = new Set<string>();
    for (let chunkId = 1; chunkId <= readCounter(this.tables, "id:chunk"); chunkId++) keys.add(this.confirmed(chunkId).join());
    return [...keys].flatMap((key) => {
      const row = this.tables.get(copySetTable, [key]);
      return row === undefined ? [] : [{ key, heldCount: row.heldCount }];
    });
  }

  /** Everything that is kept incrementally, computed anew from the chunk rows alone. */
  recomputed(): unknown {
    const up = new Set(listNodes(this.tables).filter((row) => !row.isDown).map((row) => row.nodeId));
    const counts = { total: 0, healthy: 0, under: 0, over: 0, missing: 0, corrupt: 0 };
    const buckets = new Map<string, { digest: number; chunkCount: number }>();
    let chunkCount = 0;
    for (let chunkId = 1; chunkId <= readCounter(this.tables, "id:chunk"); chunkId++) {
      const row = this.tables.get(chunkTable, [chunkId]);
      if (row === undefined) continue;
      chunkCount += 1;
      for (const nodeId of row.confirmedNodeIds) {
        const key = `${nodeId}/${bucketOf(chunkId)}`;
        const bucket = buckets.get(key) ?? { digest: 0, chunkCount: 0 };
        const digest = addDigests(bucket.digest, copyDigest({ ...row, chunkId }));
        buckets.set(key, { digest, chunkCount: bucket.chunkCount + 1 });
      }
      if (!isHeld(row)) continue;
      const copies = row.confirmedNodeIds.filter((nodeId) => up.has(nodeId)).length;
      counts.total += 1;
      if (row.corruptNodeIds.length > 0) counts.corrupt += 1;
      counts[copies === 0 ? "missing" : copies < 3 ? "under" : copies === 3 ? "healthy" : "over"] += 1;
    }
    return { counts, chunkCount, buckets };
  }

  incremental(): unknown {
    const buckets = new Map<string, { digest: number; chunkCount: number }>();
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      for (let bucket = 0; bucket < 256; bucket++) {
        const row = this.tables.get(nodeBucketTable, [nodeId, bucket]);
        if (row !== undefined) buckets.set(`${nodeId}/${bucket}`, row);
      }
    }
    return { counts: this.health(), chunkCount: this.memory.count(copySetChunkTable), buckets };
  }
}

const anyStep = fc.record({
  what: fc.constantFrom("store", "hold", "release", "added", "corrupt", "missing", "listed", "garbage", "extra", "trimmed", "down", "up"),
  nodeId: fc.integer({ min: 1, max: nodeCount }),
  chunkId: fc.integer({ min: 1, max: 12 }),
});

function take(world: World, step: { what: string; nodeId: number; chunkId: number }): void {
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
  if (step.what === "down") world.fold({ kind: "nodeDown", nodeId, reason: "test" });
  if (step.what === "up") world.fold({ kind: "nodeUp", nodeId });
}

describe("chunk tables", () => {
  test("after any history the kept counts, sets and digests are what a recount finds", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const world = new World();
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
        const world = new World();
        for (const step of steps) {
          const before = world.confirmed(step.chunkId);
          const isTrim = step.what === "extra" || step.what === "garbage";
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
    const world = new World();
    for (let count = 0; count < 20; count++) world.store();
    const rows = world.memory.rows(chunkTable);
    expect(world.health()).toEqual({ total: 20, healthy: 20, under: 0, over: 0, missing: 0, corrupt: 0 });
    world.fold({ kind: "nodeDown", nodeId: 1, reason: "silent" });
    const held = rows.filter((row) => row.confirmedNodeIds.includes(1)).length;
    expect(world.health()).toMatchObject({ healthy: 20 - held, under: held });
    expect(world.memory.rows(chunkTable)).toEqual(rows);
    world.fold({ kind: "nodeUp", nodeId: 1 });
    expect(world.health()).toMatchObject({ healthy: 20, under: 0 });
  });

  test("repair work comes by copies left: one before two, unreadable ones last", () => {
    const view = { replication: 3, isUp: (nodeId: number) => nodeId !== 9 };
    const sets = ["1,2,9", "1,9", "1,2,3", "9", "2,3"].map((key) => ({ key, heldCount: 1 }));
    expect(orderUnderReplicated(sets, view).map((set) => [set.key, set.copies])).toEqual([["1,9", 1], ["1,2,9", 2], ["2,3", 2], ["9", 0]]);
  });
});

describe("decideChunksWritten", () => {
  const written = (world: World, change: object): ReturnType<typeof decideChunksWritten> => {
    const { chunkId, nodeIds } = must(world.grant(1)[0], "a grant of one chunk has one");
    const chunk = { chunkId, generation: 1, lengthBytes: 10, sha256, nodeIds, confirmedNodeIds: nodeIds };
    return decideChunksWritten(world.tables, [{ ...chunk, ...change }], world.context);
  };

  test.each([
    { what: "no grant", change: { chunkId: 999 }, kind: "precondition" },
    { what: "one durable copy", change: { nodeIds: [1, 2, 3], confirmedNodeIds: [2] }, kind: "precondition" },
    { what: "the same copy twice", change: { nodeIds: [1, 2, 3], confirmedNodeIds: [2, 2] }, kind: "precondition" },
    { what: "a copy where none was placed", change: { nodeIds: [1, 2], confirmedNodeIds: [1, 3] }, kind: "invalidArgument" },
    { what: "an unknown node", change: { nodeIds: [1, 2, 77], confirmedNodeIds: [1, 2] }, kind: "invalidArgument" },
    { what: "no bytes", change: { lengthBytes: 0 }, kind: "invalidArgument" },
    { what: "too many bytes", change: { lengthBytes: chunkSizeBytes + 1 }, kind: "invalidArgument" },
    { what: "a short hash", change: { sha256: new Uint8Array(31) }, kind: "invalidArgument" },
    { what: "another generation", change: { generation: 2 }, kind: "invalidArgument" },
  ])("refuses $what", ({ change, kind }) => {
    expect(written(new World(), change)).toMatchObject({ ok: false, error: { kind } });
  });

  test("a grant ends at its time by the leader's clock, not before", () => {
    const world = new World();
    const { chunkId, nodeIds } = must(world.grant(1)[0], "a grant of one chunk has one");
    const chunk = { chunkId, generation: 1, lengthBytes: 10, sha256, nodeIds, confirmedNodeIds: nodeIds };
    world.atMs += grantLifetimeMs - 1;
    expect(decideChunksWritten(world.tables, [chunk], world.context).ok).toBe(true);
    world.atMs += 1;
    expect(decideChunksWritten(world.tables, [chunk], world.context)).toMatchObject({ ok: false, error: { kind: "precondition" } });
  });

  test("a chunk is placed once; a second use is refused, and so is the same chunk twice in one command", () => {
    const world = new World();
    const chunkId = world.store();
    const chunk = { chunkId, generation: 1, lengthBytes: 100 + chunkId, sha256, nodeIds: [1, 2, 3], confirmedNodeIds: [1, 2, 3] };
    expect(decideChunksWritten(world.tables, [chunk], world.context)).toMatchObject({ ok: false, error: { kind: "precondition" } });
    const fresh = must(world.grant(1)[0], "a grant of one chunk has one");
    const twice = { ...chunk, chunkId: fresh.chunkId, nodeIds: fresh.nodeIds, confirmedNodeIds: fresh.nodeIds };
    expect(decideChunksWritten(world.tables, [twice, twice], world.context)).toMatchObject({ ok: false, error: { kind: "invalidArgument" } });
  });
});

describe("garbage", () => {
  test("a purged chunk is ordered away everywhere and forgotten when the last node has carried it out", () => {
    const world = new World();
    const chunkId = world.store(2);
    world.release([chunkId], "purged");
    const orders = decideTrimGarbage(world.tables, [chunkId], world.context);
    expect(orders.map((order) => order.kind === "trimOrdered" && [order.reason, order.term])).toEqual([["purged", 4], ["purged", 4], ["purged", 4]]);
    world.fold(...orders);
    expect(decideTrimGarbage(world.tables, [chunkId], world.context)).toEqual([]);
    expect(world.confirmed(chunkId)).toEqual([]);
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) world.report(nodeId, { trimmed: [world.copy(chunkId)] });
    for (const table of [chunkTable, garbageTable, trimTable, copySetTable, nodeBucketTable, grantedTable]) {
      expect(world.memory.rows(table as typeof chunkTable), table.name).toEqual([]);
    }
  });

  test("a returning node's copy of a chunk that was ordered away does not count again", () => {
    const world = new World();
    const chunkId = world.store();
    world.release([chunkId], "purged");
    world.fold(...decideTrimGarbage(world.tables, [chunkId], world.context));
    for (const nodeId of [1, 2, 3, 4, 5]) {
      if (world.tables.get(trimTable, [nodeId, chunkId]) === undefined) continue;
      expect(world.report(nodeId, { added: [world.copy(chunkId)], listed: [world.copy(chunkId)] })).toEqual([]);
    }
  });

  test("granted ids that were never used are ordered away after their time, at every place", () => {
    const world = new World();
    const [used, unused] = world.grant(2);
    world.fold({ kind: "chunkPlaced", chunkId: used?.chunkId ?? 0, generation: 1, lengthBytes: 1, sha256, nodeIds: [1, 2, 3], confirmedNodeIds: [1, 2] });
    world.hold([used?.chunkId ?? 0], { entryId: 1 });
    const ids = [used?.chunkId ?? 0, unused?.chunkId ?? 0];
    expect(decideTrimGarbage(world.tables, ids, world.context)).toEqual([]);
    world.atMs += grantLifetimeMs;
    const orders = decideTrimGarbage(world.tables, ids, world.context);
    expect(orders.map((order) => order.kind === "trimOrdered" && `${order.chunkId} ${order.reason}`)).toEqual(Array(3).fill(`${unused?.chunkId} grant-expired`));
    world.fold(...orders);
    expect(world.memory.count(grantExpiryTable)).toBe(0);
    expect(world.memory.count(trimTable)).toBe(3);
  });

  test("an ended upload does not take what a version holds by then", () => {
    const world = new World();
    const chunkId = world.store();
    world.release([chunkId], "uploadEnded");
    expect(world.memory.count(garbageTable)).toBe(0);
    world.release([chunkId], "purged");
    expect(world.memory.count(garbageTable)).toBe(1);
    world.hold([chunkId], { uploadId: "u" });
    expect(world.memory.count(garbageTable)).toBe(0);
  });

  test("an extra copy goes only while as many others as wanted count on nodes that are up", () => {
    const world = new World();
    const chunkId = world.store();
    const spare = must([1, 2, 3, 4, 5].find((nodeId) => !world.confirmed(chunkId).includes(nodeId)), "five nodes, three copies");
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: world.confirmed(chunkId)[0] ?? 0 }, world.context)).toEqual([]);
    const others = world.confirmed(chunkId);
    world.report(spare, { added: [world.copy(chunkId)] });
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: spare }, world.context)).toMatchObject([
      { kind: "trimOrdered", reason: "extra", confirmedNodeIds: others, term: 4 },
    ]);
    world.fold({ kind: "nodeDown", nodeId: others[0] ?? 0, reason: "test" });
    expect(decideTrimExtra(world.tables, { chunkId, nodeId: spare }, world.context)).toEqual([]);
  });
});

describe("reports", () => {
  test("a report said twice is one fact; unknown chunks and wrong lengths are left alone", () => {
    const world = new World();
    const chunkId = world.store(2);
    const third = must(world.memory.rows(chunkTable)[0]?.placedNodeIds.find((nodeId) => !world.confirmed(chunkId).includes(nodeId)), "three places, two copies");
    expect(world.report(third, { added: [{ ...world.copy(chunkId), lengthBytes: 1 }, world.copy(500)] })).toEqual([]);
    expect(world.report(third, { added: [world.copy(chunkId)] })).toEqual([{ kind: "replicaConfirmed", chunkIds: [chunkId], nodeId: third }]);
    expect(world.report(third, { added: [world.copy(chunkId)], trimmed: [world.copy(chunkId)] })).toEqual([]);
  });

  test("a damaged copy counts again only when it was written anew, not because it is still listed", () => {
    const world = new World();
    const chunkId = world.store();
    const nodeId = must(world.confirmed(chunkId)[0], "a stored chunk has copies");
    world.report(nodeId, { corrupt: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ under: 1, corrupt: 1 });
    expect(world.report(nodeId, { listed: [world.copy(chunkId)], corrupt: [world.copy(chunkId)] })).toEqual([]);
    world.report(nodeId, { added: [world.copy(chunkId)] });
    expect(world.health()).toMatchObject({ healthy: 1, corrupt: 0 });
  });

  test("a reader's word does not take the last copy that counts", () => {
    const world = new World();
    const chunkId = world.store(2);
    const [first = 0, second = 0] = world.confirmed(chunkId);
    const report = (nodeId: number): readonly DomainEvent[] => {
      const decided = decideReportBadReplica(world.tables, { kind: "reportBadReplica", chunkId, nodeId, reason: "corrupt" }, world.context);
      return decided.ok ? decided.value.events : [];
    };
    expect(report(first)).toEqual([{ kind: "replicaLost", chunkIds: [chunkId], nodeId: first, reason: "corrupt" }]);
    world.fold({ kind: "nodeDown", nodeId: second, reason: "test" });
    expect(report(first)).toEqual([]);
    world.fold({ kind: "nodeUp", nodeId: second });
    world.fold(...report(first));
    expect(report(second)).toEqual([]);
  });
});
