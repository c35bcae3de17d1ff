import { create } from "@bufbuild/protobuf";
import {
  ActivateNodeSchema,
  DrainNodeSchema,
  FailNodeSchema,
  RemoveNodeSchema,
  SetHousekeepingSchema,
  SetReplicationSchema,
  type FleetCommand,
} from "@holdfast/proto/fleet/v1/fleet";
import { describe, expect, test } from "vitest";
import { SimFleet } from "../test/sim-fleet.ts";

type Order = FleetCommand["command"];

const drain = (nodeId: number): Order => ({
  case: "drainNode",
  value: create(DrainNodeSchema, { nodeId, reason: "old" }),
});
const activate = (nodeId: number): Order => ({ case: "activateNode", value: create(ActivateNodeSchema, { nodeId }) });
const fail = (nodeId: number): Order => ({
  case: "failNode",
  value: create(FailNodeSchema, { nodeId, reason: "gone" }),
});
const copies = (replication: number): Order => ({
  case: "setReplication",
  value: create(SetReplicationSchema, { replication }),
});
const pauseBalance = (isBalancePaused: boolean): Order => ({
  case: "setHousekeeping",
  value: create(SetHousekeepingSchema, { isBalancePaused }),
});

/** Every stored chunk has exactly so many copies on nodes that run. */
const haveAll = (fleet: SimFleet, count: number) => (): boolean =>
  fleet.chunkIds.every((chunkId) => fleet.copiesOf(chunkId) === count);

async function crashLeader(fleet: SimFleet): Promise<void> {
  const { id } = await fleet.cluster.leader();
  fleet.cluster.crash(id);
  await fleet.cluster.start(id);
  await fleet.cluster.leader(20_000);
}

describe("drain", () => {
  test("every copy is made anew before the old one goes; then the node can be removed", async () => {
    const fleet = new SimFleet(1);
    await fleet.start(5);
    await fleet.store(20);
    const node = fleet.node(1);
    const before = node.inventory.size;
    expect(before).toBeGreaterThan(5);
    await fleet.order(drain(node.nodeId));
    const [begun] = (await fleet.fleet()).tasks;
    expect(begun).toMatchObject({ nodeId: node.nodeId, kind: "drain", copiesTotal: BigInt(before), reason: "old" });
    expect(await fleet.until(() => node.inventory.size === 0)).toBe(true);
    expect(fleet.copiesMin).toBe(3);
    await fleet.cluster.world.runFor(3000);
    const [task] = (await fleet.fleet()).tasks;
    expect(task).toMatchObject({ copiesLeft: 0n, bytesLeft: 0n, isSafeToRemove: true, blockedReasons: [] });
    await fleet.order({ case: "removeNode", value: create(RemoveNodeSchema, { nodeId: node.nodeId }) });
    expect(haveAll(fleet, 3)()).toBe(true);
  });

  test("a new leader goes on; a cancelled drain leaves everything whole", async () => {
    const fleet = new SimFleet(2);
    await fleet.start(5);
    await fleet.store(20);
    const node = fleet.node(1);
    for (const one of fleet.nodes) one.fetchMs = 3000;
    await fleet.order(drain(node.nodeId));
    await fleet.until(() => node.inventory.size < 8);
    await crashLeader(fleet);
    expect(await fleet.until(() => node.inventory.size <= 3)).toBe(true);
    await fleet.order(activate(node.nodeId));
    expect(await fleet.until(haveAll(fleet, 3))).toBe(true);
    await fleet.cluster.world.runFor(30_000);
    expect(haveAll(fleet, 3)()).toBe(true);
    expect(fleet.copiesMin).toBe(3);
    expect((await fleet.fleet()).tasks).toEqual([]);
  });

  test("what stands in the way is said in words", async () => {
    const fleet = new SimFleet(3);
    await fleet.start(4);
    await fleet.store(6);
    for (const one of fleet.nodes) one.capacityBytes = 30 << 20;
    const full = fleet.nodes.find((one) => one.inventory.size < 6 && one.nodeId !== fleet.node(1).nodeId);
    await fleet.cluster.world.runFor(2000);
    const node = fleet.node(1);
    for (const one of fleet.nodes) if (one !== node) one.capacityBytes = one.inventory.size * (4 << 20) + 1000;
    await fleet.cluster.world.runFor(2000);
    await fleet.order(drain(node.nodeId));
    await fleet.cluster.world.runFor(3000);
    const [task] = (await fleet.fleet()).tasks;
    expect(task?.isSafeToRemove).toBe(false);
    expect(task?.blockedReasons.join()).toMatch(/chunks? needs? a third node; node-\d is 99 % full/);
    expect(full?.name).toMatch(/node/);
  });
});

describe("balance", () => {
  test("a new node gets its share, over a change of leader; no chunk ever has fewer copies than wanted", async () => {
    const fleet = new SimFleet(4);
    await fleet.start(3);
    await fleet.store(40);
    const fresh = await fleet.addNode();
    fresh.fetchMs = 1000;
    expect(await fleet.until(() => fresh.inventory.size >= 8)).toBe(true);
    await crashLeader(fleet);
    expect(await fleet.until(() => fresh.inventory.size >= 24 && haveAll(fleet, 3)(), 120_000)).toBe(true);
    await fleet.cluster.world.runFor(30_000);
    expect(haveAll(fleet, 3)()).toBe(true);
    expect(fleet.copiesMin).toBe(3);
    for (const node of fleet.nodes) expect(Math.abs(node.inventory.size - 30)).toBeLessThanOrEqual(5);
    const { balance } = await fleet.fleet();
    expect(balance).toMatchObject({ plannedMoves: 0n, activeMoves: 0n, stoppedReason: "", isPaused: false });
    expect(balance?.doneMoves).toBeGreaterThan(0n);
  });

  test("paused it rests and says so; resumed it goes on", async () => {
    const fleet = new SimFleet(5);
    await fleet.start(3);
    await fleet.store(20);
    await fleet.order(pauseBalance(true));
    const fresh = await fleet.addNode();
    await fleet.cluster.world.runFor(10_000);
    expect(fresh.inventory.size).toBe(0);
    const { balance } = await fleet.fleet();
    expect(balance).toMatchObject({ isPaused: true, stoppedReason: "An administrator paused balancing." });
    expect(balance?.plannedMoves).toBeGreaterThan(5n);
    await fleet.order(pauseBalance(false));
    expect(await fleet.until(() => fresh.inventory.size >= 10 && haveAll(fleet, 3)())).toBe(true);
  });

  test("a move whose target is gone is given up, and nothing is left of it", async () => {
    const fleet = new SimFleet(6);
    await fleet.start(3);
    await fleet.store(20);
    const fresh = await fleet.addNode();
    fresh.fetchMs = 600_000;
    await fleet.until(() => false, 5000);
    expect((await fleet.fleet()).balance?.activeMoves).toBeGreaterThan(0n);
    fresh.kill();
    await fleet.until(() => false, 20_000);
    expect((await fleet.fleet()).balance?.activeMoves).toBe(0n);
    expect(haveAll(fleet, 3)()).toBe(true);
  });
});

describe("removal", () => {
  test("without a drain: the copies are made anew from the others, and nothing waits for the node any more", async () => {
    const fleet = new SimFleet(9);
    await fleet.start(5);
    await fleet.store(20);
    const node = fleet.node(3);
    node.kill();
    const removal = create(RemoveNodeSchema, { nodeId: node.nodeId, isForced: true });
    await fleet.order({ case: "removeNode", value: removal });
    expect(await fleet.until(haveAll(fleet, 3), 20_000)).toBe(true);
    await fleet.cluster.world.runFor(5000);
    const status = await fleet.cluster.status();
    expect(status.chunks).toMatchObject({ total: 20n, healthy: 20n });
    expect(status.nodes.map((one) => one.nodeId)).not.toContain(node.nodeId);
  });
});

describe("numbers of copies", () => {
  test("more are made when more are wanted; fewer are kept when fewer are, after the grace", async () => {
    const fleet = new SimFleet(7);
    await fleet.start(4);
    await fleet.store(10);
    // A move for balance has one copy too many for a moment.
    await fleet.order(pauseBalance(true));
    await fleet.order(copies(4));
    expect(await fleet.until(haveAll(fleet, 4), 10_000)).toBe(true);
    await fleet.order(copies(2));
    expect(await fleet.until(haveAll(fleet, 2), 60_000)).toBe(true);
    await fleet.cluster.world.runFor(10_000);
    expect(haveAll(fleet, 2)()).toBe(true);
  });

  test("a node that is declared dead is not waited for; back again, its copies count and the extra ones go", async () => {
    const fleet = new SimFleet(8);
    await fleet.start(5);
    await fleet.store(20);
    const node = fleet.node(2);
    const others = (chunkId: number): number => fleet.copiesOf(chunkId) - Number(node.inventory.has(chunkId));
    await fleet.order(fail(node.nodeId));
    expect(await fleet.until(() => fleet.chunkIds.every((chunkId) => others(chunkId) === 3), 4000)).toBe(true);
    await fleet.order(activate(node.nodeId));
    await fleet.cluster.world.runFor(10_000);
    expect(fleet.chunkIds.some((chunkId) => fleet.copiesOf(chunkId) === 4)).toBe(true);
    expect(await fleet.until(haveAll(fleet, 3), 60_000)).toBe(true);
    expect(fleet.copiesMin).toBe(3);
  });
});
