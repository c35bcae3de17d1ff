import { must } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideGrantChunks } from "../chunks/decide.ts";
import { countHeldCopies } from "../chunks/node-copy-sets.ts";
import { chunkTable } from "../chunks/tables.ts";
import { ChunkWorld, nodeCount } from "../chunks/testing/chunk-world.ts";
import type { DecideContext, DecideResult, ObservedNode } from "../decision.ts";
import { clusterTable, readCounter, readHousekeeping } from "../state.ts";
import { decideFleetExpiry } from "./decide-expiry.ts";
import { decideFleet } from "./decide-fleet.ts";
import { decideNodesDown } from "./decide.ts";
import { drillTable, listDrills } from "./drills.ts";
import type { FleetOrder } from "./orders.ts";
import { copiesCount, isExcused, readStandings } from "./standing.ts";
import { nodeIntent, nodeOrderTable, nodeTable } from "./tables.ts";

/** Five nodes with three copies of every chunk; orders are carried out at once. */
class World extends ChunkWorld {
  liveness = new Map<number, ObservedNode["liveness"]>();

  override get context(): DecideContext {
    const nodes = new Map<number, ObservedNode>();
    for (const [nodeId, node] of super.context.nodes)
      nodes.set(nodeId, { ...node, liveness: this.liveness.get(nodeId) ?? "live" });
    return { ...super.context, nodes };
  }

  order(order: FleetOrder, candidateChunkIds: readonly number[] = []): DecideResult {
    const decided = decideFleet(this.tables, { kind: "fleet", order, candidateChunkIds }, this.context);
    if (decided.ok) this.fold(...decided.value.events);
    return decided;
  }

  refusal(order: FleetOrder): string {
    const decided = this.order(order);
    return decided.ok ? "" : `${decided.error.kind}: ${decided.error.message}`;
  }

  intent(nodeId: number): number {
    return this.tables.get(nodeTable, [nodeId])?.intent ?? 0;
  }

  /** What ends by itself until then. */
  pass(ms: number): void {
    this.atMs += ms;
    this.fold(...decideFleetExpiry(this.tables, this.atMs).events);
  }

  down(...nodeIds: readonly number[]): void {
    this.fold(...nodeIds.map((nodeId) => ({ kind: "nodeDown" as const, nodeId, reason: "test", drillId: 0 })));
  }

  /** A chunk whose only confirmed copies are on these nodes. */
  chunkOn(...nodeIds: readonly number[]): number {
    const chunkId = this.store(3);
    for (const nodeId of this.confirmed(chunkId))
      if (!nodeIds.includes(nodeId)) this.report(nodeId, { missingChunkIds: [chunkId] });
    for (const nodeId of nodeIds) this.report(nodeId, { added: [this.copy(chunkId)] });
    expect(this.confirmed(chunkId)).toEqual(nodeIds);
    return chunkId;
  }
}

const drain = (nodeId: number): FleetOrder => ({ case: "drainNode", value: { nodeId, reason: "old" } });
const activate = (nodeId: number): FleetOrder => ({ case: "activateNode", value: { nodeId } });
const fail = (nodeId: number, isForced = false): FleetOrder => ({
  case: "failNode",
  value: { nodeId, reason: "smoke", isForced },
});
const remove = (nodeId: number, isForced = false): FleetOrder => ({ case: "removeNode", value: { nodeId, isForced } });
const maintain = (nodeId: number, isForced = false, durationMs = 60_000): FleetOrder => ({
  case: "startMaintenance",
  value: { nodeId, durationMs, reason: "fan", isForced },
});
const drill = (nodeId: number, kind: number, change: { durationMs?: number; delayMs?: number } = {}): FleetOrder => ({
  case: "startDrill",
  value: { nodeId, kind, durationMs: 10_000, delayMs: 0, ...change },
});
const [stop, partition, slow, corrupt] = [1, 2, 3, 4];

describe("intents", () => {
  test("a drain says how many copies there were, is idempotent, and is cancelled by activating", () => {
    const world = new World();
    for (let count = 0; count < 10; count++) world.store();
    const copiesTotal = countHeldCopies(world.tables, 1);
    expect(world.order(drain(1))).toMatchObject({
      value: { events: [{ kind: "nodeDraining", nodeId: 1, reason: "old", copiesTotal }] },
    });
    expect(world.intent(1)).toBe(nodeIntent.draining);
    expect(world.order(drain(1))).toMatchObject({ ok: true, value: { events: [] } });
    expect(world.order(activate(1))).toMatchObject({ value: { events: [{ reason: "cancelled" }] } });
    expect(world.tables.get(nodeOrderTable, [1])).toBeUndefined();
    expect(world.order(activate(1))).toMatchObject({ ok: true, value: { events: [] } });
  });

  test("a drain is refused when too few others are up and active, and names them", () => {
    const world = new World();
    world.down(4);
    world.order(drain(5));
    expect(world.refusal(drain(1))).toContain(
      "node-1 can't be drained: 3 copies of every chunk are wanted, and 2 other nodes are up and active (node-2, node-3)",
    );
    expect(world.intent(1)).toBe(nodeIntent.active);
  });

  test("maintenance ends by itself; while it lasts its copies count as long as it is up, and are excused when it is not", () => {
    const world = new World();
    world.chunkOn(1, 2, 3);
    expect(world.order(maintain(1)).ok).toBe(true);
    expect(world.health()).toMatchObject({ healthy: 1 });
    world.down(1);
    expect(world.health()).toMatchObject({ under: 1 });
    const row = must(world.tables.get(nodeTable, [1]), "a node");
    expect([copiesCount(row), isExcused(row)]).toEqual([false, true]);
    world.pass(59_000);
    expect(world.intent(1)).toBe(nodeIntent.maintenance);
    world.pass(2_000);
    expect(world.intent(1)).toBe(nodeIntent.active);
  });

  test("maintenance is refused when it would leave chunks unreadable: also when the other copy is suspect, or away with leave", () => {
    const world = new World();
    world.chunkOn(1, 2);
    world.liveness.set(2, "suspect");
    expect(world.refusal(maintain(1))).toContain(
      "node-1 holds the last copy of 1 chunk: the other copies are on node-2",
    );
    world.liveness.clear();
    expect(world.order(maintain(2)).ok).toBe(true);
    expect(world.refusal(maintain(1))).toContain("precondition");
    expect(world.order(maintain(1, true)).ok).toBe(true);
    expect(world.refusal(maintain(3, false, 25 * 3_600_000))).toContain("at most 24 hours");
  });

  test("a declared failure takes the copies out of the count at once, and is taken back by activating", () => {
    const world = new World();
    world.chunkOn(1, 2, 3);
    expect(world.order(fail(1)).ok).toBe(true);
    expect(world.health()).toMatchObject({ healthy: 0, under: 1 });
    expect(readStandings(world.tables).counts(1)).toBe(false);
    expect(world.refusal(maintain(1))).toContain("declared failed");
    expect(world.refusal(drain(1))).toContain("Remove it, or activate it first");
    expect(world.order(activate(1))).toMatchObject({ value: { events: [{ reason: "readmitted" }] } });
    world.order(drain(1));
    expect(world.refusal(maintain(1))).toContain("Cancel the drain first");
    expect(world.health()).toMatchObject({ healthy: 1, under: 0 });
  });

  test("failing the holder of a last copy needs force", () => {
    const world = new World();
    world.chunkOn(1, 2);
    world.down(2);
    expect(world.refusal(fail(1))).toContain("they are lost while node-1 stays away");
    expect(world.order(fail(1, true)).ok).toBe(true);
  });

  test("a node is removed only when it is drained, or by force; never with a last copy", () => {
    const world = new World();
    const chunkId = world.chunkOn(1, 2, 3);
    expect(world.refusal(remove(1))).toContain("copies of 1 chunk that would have fewer copies than wanted");
    world.down(2, 3);
    expect(world.refusal(remove(1, true))).toContain("A last copy is never given up");
    world.fold({ kind: "nodeUp", nodeId: 2 }, { kind: "nodeUp", nodeId: 3 });
    world.report(4, { added: [world.copy(chunkId)] });
    expect(world.order(remove(1))).toMatchObject({ value: { events: [{ kind: "nodeRemoved", copiesLeft: 1 }] } });
    expect(world.order(remove(1))).toMatchObject({ ok: true, value: { events: [] } });
    expect(world.refusal(activate(1))).toContain("was removed");
    expect(world.order(remove(2, true)).ok).toBe(true);
    expect(world.refusal(remove(99))).toContain("notFound");
  });

  test("a removed node's copies count no more, and what it says is not heard", () => {
    const world = new World();
    const chunkId = world.chunkOn(1, 2, 3);
    world.order(remove(1, true));
    expect(world.health()).toMatchObject({ under: 1 });
    const other = world.chunkOn(2, 3, 4);
    expect(world.report(1, { added: [world.copy(other)], missingChunkIds: [chunkId] })).toEqual([]);
  });
});

describe("settings", () => {
  test("the number of copies changes for old chunks, too; not to more than there are active nodes", () => {
    const world = new World();
    world.store();
    const set = (replication: number): FleetOrder => ({ case: "setReplication", value: { replication } });
    expect(world.refusal(set(6))).toContain("There are 5 active nodes");
    expect(world.refusal(set(0))).toContain("1 to 9");
    expect(world.order(set(5)).ok).toBe(true);
    expect(world.tables.get(clusterTable, [])).toMatchObject({ replication: 5 });
    expect(world.order(set(5))).toMatchObject({ ok: true, value: { events: [] } });
    for (const nodeId of [3, 4, 5]) world.order(fail(nodeId));
    expect(world.order(set(4)).ok).toBe(true);
  });

  test("labels are checked; housekeeping changes only what is named", () => {
    const world = new World();
    expect(world.order({ case: "labelNode", value: { nodeId: 2, zone: "b", rack: "b1" } }).ok).toBe(true);
    expect(world.tables.get(nodeTable, [2])).toMatchObject({ zone: "b", rack: "b1" });
    expect(world.refusal({ case: "labelNode", value: { nodeId: 2, zone: "a b", rack: "" } })).toContain(
      "invalidArgument",
    );
    world.order({ case: "setHousekeeping", value: { isRepairPaused: true } });
    world.order({ case: "setHousekeeping", value: { isBalancePaused: true } });
    expect(readHousekeeping(world.tables)).toEqual({
      isBalancePaused: true,
      isRepairPaused: true,
      isMassLossAccepted: false,
    });
    expect(world.order({ case: "setHousekeeping", value: { isBalancePaused: true } })).toMatchObject({
      value: { events: [] },
    });
  });
});

describe("drills", () => {
  test("one that cuts a node off is refused when a chunk would be unreadable, writes would stop, or another runs", () => {
    const world = new World();
    world.chunkOn(1, 2);
    expect(world.order(drill(2, stop ?? 0))).toMatchObject({ value: { outcome: { fleet: { drillId: 1 } } } });
    expect(world.refusal(drill(2, slow ?? 0, { delayMs: 5 }))).toContain("Drill 1 (stop) runs on node-2 already");
    expect(world.refusal(drill(1, partition ?? 0))).toContain("two nodes at once are not drilled");
    world.order({ case: "stopDrill", value: { drillId: 0, nodeId: 2 } });
    world.liveness.set(2, "suspect");
    expect(world.refusal(drill(1, stop ?? 0))).toContain("1 chunk would have no live copy");
    for (const nodeId of [2, 3, 4]) world.liveness.set(nodeId, "dead");
    expect(world.refusal(drill(5, stop ?? 0))).toContain("Writes would stop");
    expect(world.refusal(drill(4, slow ?? 0, { delayMs: 5 }))).toContain("node-4 is not heard now");
    expect(world.refusal(drill(5, 9))).toContain("invalidArgument");
    expect(world.refusal(drill(5, stop ?? 0, { durationMs: 4999 }))).toContain("5 s to 1 hour");
    expect(world.refusal(drill(5, slow ?? 0))).toContain("1 ms to 10 s");
  });

  test("a damaged copy is one that has others, and what the node finds later names the drill", () => {
    const world = new World();
    const alone = world.chunkOn(1);
    const shared = world.chunkOn(1, 2, 3);
    expect(world.order(drill(1, corrupt ?? 0), [alone])).toMatchObject({ ok: false, error: { kind: "precondition" } });
    expect(world.order(drill(1, corrupt ?? 0), [alone, shared])).toMatchObject({
      value: { events: [{ drillKind: "corrupt", chunkId: shared }] },
    });
    world.pass(20_000);
    expect(listDrills(world.tables)).toEqual([]);
    const found = world.report(1, { corrupt: [world.copy(alone), world.copy(shared)] });
    expect(found).toEqual([
      { kind: "replicaLost", chunkIds: [alone], nodeId: 1, reason: "corrupt", drillId: 0 },
      { kind: "replicaLost", chunkIds: [shared], nodeId: 1, reason: "corrupt", drillId: 1 },
    ]);
  });

  test("a silence that a drill caused says so, until shortly after its end", () => {
    const world = new World();
    world.order(drill(3, partition ?? 0));
    const silent = [{ nodeId: 3, reason: "silent" }];
    expect(decideNodesDown(world.tables, silent, world.atMs)).toMatchObject([{ drillId: 1 }]);
    world.pass(10_000);
    expect(world.tables.get(drillTable, [1])?.endedAtMs).toBe(world.atMs);
    expect(decideNodesDown(world.tables, silent, world.atMs + 14_000)).toMatchObject([{ drillId: 1 }]);
    expect(decideNodesDown(world.tables, silent, world.atMs + 16_000)).toMatchObject([{ drillId: 0 }]);
  });

  test("stopping all, or what is over, is no error", () => {
    const world = new World();
    world.order(drill(1, slow ?? 0, { delayMs: 20 }));
    world.order(drill(2, stop ?? 0));
    expect(world.order({ case: "stopDrill", value: { drillId: 0, nodeId: 0 } })).toMatchObject({
      value: { events: [{ drillId: 1, reason: "stopped" }, { drillId: 2 }] },
    });
    expect(world.order({ case: "stopDrill", value: { drillId: 7, nodeId: 0 } })).toMatchObject({
      value: { events: [] },
    });
  });
});

test("whatever is ordered and happens: no removal takes a last copy, no unforced order leaves a chunk unreadable", () => {
  const anyStep = fc.record({
    what: fc.constantFrom(
      "store",
      "added",
      "missing",
      "down",
      "up",
      "drain",
      "activate",
      "maintain",
      "fail",
      "remove",
      "drill",
    ),
    nodeId: fc.integer({ min: 1, max: nodeCount }),
    chunkId: fc.integer({ min: 1, max: 8 }),
    isForced: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 50 }), (steps) => {
      const world = new World();
      const counted = (chunkId: number, without = 0): number =>
        world.confirmed(chunkId).filter((nodeId) => nodeId !== without && readStandings(world.tables).counts(nodeId))
          .length;
      const chunks = (): readonly number[] =>
        Array.from({ length: readCounter(world.tables, "id:chunk") }, (_, index) => index + 1).filter(
          (chunkId) => world.tables.get(chunkTable, [chunkId]) !== undefined,
        );
      for (const { what, nodeId, chunkId, isForced } of steps) {
        const readable = chunks().filter((one) => counted(one) > 0);
        const isStored = chunks().includes(chunkId);
        const orders = { drain: drain(nodeId), activate: activate(nodeId), maintain: maintain(nodeId, isForced) };
        const more = {
          fail: fail(nodeId, isForced),
          remove: remove(nodeId, isForced),
          drill: drill(nodeId, stop ?? 0),
        };
        const order: FleetOrder | undefined = Object.entries({ ...orders, ...more }).find(
          ([name]) => name === what,
        )?.[1];
        if (
          what === "store" &&
          chunks().length < 8 &&
          decideGrantChunks(
            world.tables,
            { kind: "grantChunks", gateway: "g", count: 1, avoidNodeIds: [] },
            world.context,
          ).ok
        )
          world.store(2);
        if (what === "added" && isStored) world.report(nodeId, { added: [world.copy(chunkId)] });
        if (what === "missing" && isStored) world.report(nodeId, { missingChunkIds: [chunkId] });
        if (what === "down" && world.tables.get(nodeTable, [nodeId])?.isDown === false) world.down(nodeId);
        if (what === "up" && world.tables.get(nodeTable, [nodeId])?.isDown === true)
          world.fold({ kind: "nodeUp", nodeId });
        if (order === undefined || !world.order(order).ok) continue;
        const isLasting = what === "remove" || (what === "fail" && !isForced);
        const isPassing = (what === "maintain" && !isForced) || what === "drill";
        for (const one of readable) {
          if (isLasting) expect(counted(one)).toBeGreaterThan(0);
          if (isPassing && world.confirmed(one).includes(nodeId)) expect(counted(one, nodeId)).toBeGreaterThan(0);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("nodes are known by their copy sets whatever happened before", () => {
  const world = new World();
  for (let count = 0; count < 30; count++) world.store(2 + (count % 2));
  for (let chunkId = 1; chunkId <= 10; chunkId++)
    world.report(1 + (chunkId % nodeCount), { missingChunkIds: [chunkId] });
  world.release([4, 5, 6], "purged");
  world.order(fail(2));
  for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
    const held = world.memory
      .rows(chunkTable)
      .filter((row) => row.holderEntryId !== 0 && row.confirmedNodeIds.includes(nodeId)).length;
    expect(countHeldCopies(world.tables, nodeId)).toBe(held);
  }
});
