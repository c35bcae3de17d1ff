import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import {
  DrillKind,
  FailNodeSchema,
  IssueJoinTokenSchema,
  RemoveNodeSchema,
  RevokeJoinTokenSchema,
  StartDrillSchema,
  StartMaintenanceSchema,
  StopDrillSchema,
  type FleetCommand,
} from "@holdfast/proto/fleet/v1/fleet";
import {
  FleetService,
  ListEventsRequestSchema,
  PollDrillsRequestSchema,
  QueryService,
} from "@holdfast/proto/master/v1/master";
import { Intent, Liveness, type Node } from "@holdfast/proto/model/v1/model";
import { describe, expect, test } from "vitest";
import { FakeNode } from "../test/fake-node.ts";
import { SimFleet } from "../test/sim-fleet.ts";

type Order = FleetCommand["command"];

const joinSecret = "the secret of this cluster, long enough";
const sha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();
const issue = (token: string, lifetimeMs = 600_000): Order => ({
  case: "issueJoinToken",
  value: create(IssueJoinTokenSchema, { tokenSha256: sha256(token), lifetimeMs: BigInt(lifetimeMs), label: "test" }),
});
const drill = (nodeId: number, kind: DrillKind, durationMs = 20_000): Order => ({
  case: "startDrill",
  value: create(StartDrillSchema, { nodeId, kind, durationMs: BigInt(durationMs), delayMs: 50 }),
});

async function statusOf(fleet: SimFleet, node: FakeNode): Promise<Node> {
  const { nodes } = await fleet.cluster.status();
  return must(
    nodes.find((one) => one.name === node.name),
    "the node is in the status",
  );
}

function newcomer(fleet: SimFleet, number: number, joinCredential: string): FakeNode {
  const node = new FakeNode(fleet.cluster, number);
  node.joinCredential = joinCredential;
  node.start();
  return node;
}

async function answerOf(fleet: SimFleet, node: FakeNode): Promise<string> {
  const isAnswered = (): boolean => node.nodeId > 0 || node.refusal !== undefined;
  expect(await fleet.cluster.world.runUntil(isAnswered, 10_000)).toBe(true);
  return node.refusal ?? "let in";
}

async function summaries(fleet: SimFleet): Promise<readonly { readonly summary: string; readonly drillId: bigint }[]> {
  const request = create(ListEventsRequestSchema, { limit: 200 });
  const answer = fleet.cluster.caller.call(QueryService, (client, options) => client.listEvents(request, options));
  return (await fleet.cluster.world.settle(answer, 25_000)).events;
}

describe("joining", () => {
  test("the secret lets any node in, a token one; without either nobody comes in, and is told what to do", async () => {
    const fleet = new SimFleet(1, { joinSecret });
    await fleet.start(0);
    expect(await answerOf(fleet, newcomer(fleet, 1, joinSecret))).toBe("let in");
    expect(await answerOf(fleet, newcomer(fleet, 2, ""))).toContain("needs a join token");
    expect(await answerOf(fleet, newcomer(fleet, 3, `${joinSecret}.`))).toContain("not one of this cluster's");
    await fleet.order(issue("one"));
    expect(await answerOf(fleet, newcomer(fleet, 4, "one"))).toBe("let in");
    expect(await answerOf(fleet, newcomer(fleet, 5, "one"))).toContain("was used by node-4");
    await fleet.order(issue("two"));
    await fleet.order({ case: "revokeJoinToken", value: create(RevokeJoinTokenSchema, { isAll: true }) });
    expect(await answerOf(fleet, newcomer(fleet, 6, "two"))).toContain("was revoked");
    await fleet.order(issue("three", 60_000));
    await fleet.cluster.world.runFor(62_000);
    expect((await fleet.fleet()).joinTokens).toMatchObject([{ joinTokenId: 1, usedByNodeId: 2, label: "test" }]);
    expect(await answerOf(fleet, newcomer(fleet, 7, "three"))).toContain("expired");
    const told = await summaries(fleet);
    expect(told.map((event) => event.summary)).toContain('Join token 3 for "test" expired');
    expect(JSON.stringify(told.map((event) => event.summary))).not.toContain("three");
  });

  test("an empty secret is no secret", async () => {
    const fleet = new SimFleet(2, { joinSecret: "" });
    await fleet.start(0);
    expect(await answerOf(fleet, newcomer(fleet, 1, ""))).toContain("needs a join token");
  });

  test("rack, disks, speed and addresses are in the status", async () => {
    const fleet = new SimFleet(3);
    await fleet.start(1);
    const node = fleet.node(1);
    node.latency = { writeP95TenthMs: 123, readP95TenthMs: 45 };
    await fleet.cluster.world.runFor(2500);
    expect(await statusOf(fleet, node)).toMatchObject({
      rack: "r1",
      disks: [{ path: "/data", state: "ok", capacityBytes: 7n, usedBytes: 3n }],
      diskState: "ok",
      mac: "02:00:00:00:00:01",
      writeP95TenthMs: 123,
      readP95TenthMs: 45,
      isGray: false,
      caution: "",
    });
  });

  test("after a change of leader a copied directory does not get ahead of the node itself", async () => {
    const fleet = new SimFleet(4);
    await fleet.start(1);
    const node = fleet.node(1);
    const copy = new FakeNode(fleet.cluster, 9);
    copy.uuid = node.uuid;
    copy.clusterId = node.clusterId;
    const { id } = await fleet.cluster.leader();
    fleet.cluster.crash(id);
    copy.start();
    await fleet.cluster.leader(20_000);
    expect(await answerOf(fleet, copy)).toMatch(/has a copy of its directory|was at node-1:8000 a moment ago/);
    await fleet.cluster.world.runFor(5000);
    expect(await statusOf(fleet, node)).toMatchObject({ address: node.address, liveness: Liveness.LIVE });
  });

  test("a node that moved is let in when its old address was silent for three seconds", async () => {
    const fleet = new SimFleet(5);
    await fleet.start(1);
    const node = fleet.node(1);
    node.kill();
    node.nodeId = 0;
    node.address = "node-1:8001";
    node.start();
    const startedMs = fleet.cluster.world.nowMs();
    expect(await fleet.cluster.world.runUntil(() => node.nodeId === 1, 10_000)).toBe(true);
    expect(fleet.cluster.world.nowMs() - startedMs).toBeGreaterThan(1500);
    expect(fleet.cluster.world.nowMs() - startedMs).toBeLessThan(4500);
    expect(await statusOf(fleet, node)).toMatchObject({ address: "node-1:8001" });
  });
});

describe("intents", () => {
  test("a removed node is told so and stays out; its name is free for the node that replaces it", async () => {
    const fleet = new SimFleet(6);
    await fleet.start(4);
    await fleet.store(8);
    const node = fleet.node(4);
    await fleet.order({ case: "removeNode", value: create(RemoveNodeSchema, { nodeId: node.nodeId, isForced: true }) });
    expect(await fleet.cluster.world.runUntil(() => node.refusal !== undefined, 5000)).toBe(true);
    expect(node.refusal).toContain("removed");
    await fleet.cluster.world.runFor(3000);
    expect((await fleet.cluster.status()).nodes.map((one) => one.nodeId)).not.toContain(node.nodeId);
    node.kill();
    const replacement = new FakeNode(fleet.cluster, 4);
    replacement.uuid = "d".repeat(32);
    replacement.peers = fleet.nodes;
    replacement.start();
    expect(await answerOf(fleet, replacement)).toBe("let in");
    expect(replacement.nodeId).not.toBe(node.nodeId);
  });

  test("maintenance is shown with its end and is over by itself; a declared failure is shown as such", async () => {
    const fleet = new SimFleet(7);
    await fleet.start(5);
    await fleet.store(5);
    // Tasks come by node id, and ids in the order of joining.
    const [first, second] = [fleet.node(1), fleet.node(2)].toSorted((left, right) => left.nodeId - right.nodeId);
    if (first === undefined || second === undefined) throw new Error("five nodes were started");
    const value = create(StartMaintenanceSchema, { nodeId: first.nodeId, durationMs: 20_000n, reason: "fan" });
    await fleet.order({ case: "startMaintenance", value });
    await fleet.order({ case: "failNode", value: create(FailNodeSchema, { nodeId: second.nodeId, reason: "smoke" }) });
    const tasks = (await fleet.fleet()).tasks;
    expect(tasks).toMatchObject([
      { nodeId: first.nodeId, kind: "maintenance", reason: "fan" },
      { nodeId: second.nodeId, kind: "failed", reason: "smoke", endsAtMs: 0n },
    ]);
    expect(Number(tasks[0]?.endsAtMs) - Number(tasks[0]?.startedAtMs)).toBe(20_000);
    expect(await statusOf(fleet, second)).toMatchObject({ intent: Intent.FAILED, liveness: Liveness.LIVE });
    await fleet.cluster.world.runFor(22_000);
    expect(await statusOf(fleet, first)).toMatchObject({ intent: Intent.ACTIVE });
    expect((await summaries(fleet)).map((event) => event.summary)).toContain(
      `Node ${first.name} is active again (maintenance is over)`,
    );
  });
});

describe("slow and unreliable nodes", () => {
  test("a slow one is called gray in words and gets no copies while others can take them; in time it is fine again", async () => {
    const fleet = new SimFleet(8);
    await fleet.start(4);
    for (const node of fleet.nodes) node.latency = { writeP95TenthMs: 200, readP95TenthMs: 100 };
    const slow = fleet.node(2);
    slow.latency = { writeP95TenthMs: 9000, readP95TenthMs: 100 };
    await fleet.cluster.world.runFor(8000);
    expect(await statusOf(fleet, slow)).toMatchObject({ isGray: true, liveness: Liveness.LIVE });
    expect((await statusOf(fleet, slow)).caution).toContain("writes take 900 ms");
    await fleet.store(10);
    expect(slow.inventory.size).toBe(0);
    slow.latency = { writeP95TenthMs: 200, readP95TenthMs: 100 };
    await fleet.cluster.world.runFor(18_000);
    expect(await statusOf(fleet, slow)).toMatchObject({ isGray: false, caution: "" });
  });

  test("one that keeps going down is held back after it is up again, also by the next leader", async () => {
    const fleet = new SimFleet(9);
    await fleet.start(4);
    const node = fleet.node(3);
    for (let time = 0; time < 3; time++) {
      node.kill();
      await fleet.cluster.world.runFor(12_000);
      node.start();
      await fleet.cluster.world.runFor(2000);
    }
    expect((await statusOf(fleet, node)).caution).toContain("went down 3 times");
    const { id } = await fleet.cluster.leader();
    fleet.cluster.crash(id);
    await fleet.cluster.leader(20_000);
    await fleet.cluster.world.runFor(2000);
    expect((await statusOf(fleet, node)).caution).toContain("went down 3 times");
  });
});

describe("drills", () => {
  test("they reach the node with the time left, again when the order was lost, and end by themselves", async () => {
    const fleet = new SimFleet(10);
    await fleet.start(4);
    await fleet.store(4);
    const node = fleet.node(1);
    node.obeysDrills = false;
    await fleet.order(drill(node.nodeId, DrillKind.SLOW));
    await fleet.cluster.world.runFor(3000);
    node.obeysDrills = true;
    expect(await fleet.cluster.world.runUntil(() => node.drills.length === 1, 2000)).toBe(true);
    expect(node.drills).toMatchObject([{ drillId: 1n, kind: DrillKind.SLOW, delayMs: 50 }]);
    expect(Number(node.drills[0]?.remainingMs)).toBeGreaterThan(10_000);
    expect(Number(node.drills[0]?.remainingMs)).toBeLessThan(18_000);
    expect(await statusOf(fleet, node)).toMatchObject({ drillIds: [1n] });
    expect(await fleet.cluster.world.runUntil(() => node.drills.length === 0, 20_000)).toBe(true);
    expect((await fleet.fleet()).drills).toEqual([]);
  });

  test("a damaged copy is named with its chunk; stopping tells the node at once", async () => {
    const fleet = new SimFleet(11);
    await fleet.start(4);
    await fleet.store(6);
    const node = fleet.node(1);
    await fleet.order(drill(node.nodeId, DrillKind.CORRUPT));
    expect(await fleet.cluster.world.runUntil(() => node.drills.length === 1, 2000)).toBe(true);
    const chunk = must(node.drills[0]?.chunk, "the order names the copy");
    expect(node.inventory.get(Number(chunk.chunkId))).toMatchObject({
      generation: chunk.generation,
      lengthBytes: chunk.lengthBytes,
    });
    node.reported.corrupt.push({ chunkId: Number(chunk.chunkId), generation: 1, lengthBytes: chunk.lengthBytes });
    await fleet.order({ case: "stopDrill", value: create(StopDrillSchema, { nodeId: node.nodeId }) });
    expect(await fleet.cluster.world.runUntil(() => node.drills.length === 0, 1000)).toBe(true);
    await fleet.cluster.world.runFor(2000);
    const lost = (await summaries(fleet)).find((event) => event.summary.includes("lost chunk"));
    expect(lost).toMatchObject({ drillId: 1n, summary: `node-1 lost chunk ${chunk.chunkId} (corrupt) (drill 1)` });
  });

  test("a node that is cut off asks whether it is over; its death is marked as injected", async () => {
    const fleet = new SimFleet(12);
    await fleet.start(4);
    await fleet.store(4);
    const node = fleet.node(2);
    await fleet.order(drill(node.nodeId, DrillKind.STOP, 60_000));
    expect(await fleet.cluster.world.runUntil(() => node.drills.length === 1, 2000)).toBe(true);
    node.kill();
    const poll = (nodeUuid: string): Promise<{ readonly drillIds: readonly bigint[] }> => {
      const request = create(PollDrillsRequestSchema, { nodeUuid });
      const answer = fleet.cluster.caller.call(FleetService, (client, options) => client.pollDrills(request, options));
      return fleet.cluster.world.settle(answer, 25_000);
    };
    expect((await poll(node.uuid)).drillIds).toEqual([1n]);
    await fleet.cluster.world.runFor(12_000);
    const down = (await summaries(fleet)).find((event) => event.summary.includes("is down"));
    expect(down).toMatchObject({ drillId: 1n });
    expect(down?.summary).toMatch(/node-2 is down: .* \(drill 1\)$/);
    await fleet.order({ case: "stopDrill", value: create(StopDrillSchema, { drillId: 1n }) });
    expect((await poll(node.uuid)).drillIds).toEqual([]);
    await expect(poll("f".repeat(32))).rejects.toMatchObject({ kind: "notFound" });
  });
});
