import { create } from "@bufbuild/protobuf";
import {
  DrainNodeSchema,
  FleetCommandSchema,
  FleetQueryService,
  GetChunkLedgerRequestSchema,
  GetHistoryRequestSchema,
  GetWeakestRequestSchema,
  PredictRequestSchema,
  type GetChunkLedgerResponse,
  type GetHistoryResponse,
  type PredictRequest,
  type PredictResponse,
} from "@holdfast/proto/fleet/v1/fleet";
import { expect, test } from "vitest";
import { SimFleet, simChunkBytes } from "../test/sim-fleet.ts";

function predict(fleet: SimFleet, question: PredictRequest["question"]): Promise<PredictResponse> {
  const request = create(PredictRequestSchema, { question });
  const answer = fleet.cluster.caller.call(FleetQueryService, (client, options) => client.predict(request, options));
  return fleet.cluster.world.settle(answer, 25_000);
}

function history(fleet: SimFleet, afterMs = 0n): Promise<GetHistoryResponse> {
  const request = create(GetHistoryRequestSchema, { afterMs });
  const answer = fleet.cluster.caller.call(FleetQueryService, (client, options) => client.getHistory(request, options));
  return fleet.cluster.world.settle(answer, 25_000);
}

const lost = (...nodeIds: number[]): PredictRequest["question"] => {
  return { case: "lostNodes", value: { $typeName: "holdfast.fleet.v1.NodeSet", nodeIds } };
};

test("what would happen is what then happens", async () => {
  const fleet = new SimFleet(1);
  await fleet.start(5, ["a", "a", "b", "b", "c"]);
  await fleet.store(20);
  await fleet.cluster.world.runFor(1000);
  const node = fleet.node(5);
  const one = await predict(fleet, lost(node.nodeId));
  const held = node.inventory.size;
  expect(one).toMatchObject({ filesLost: 0n, isRepairable: true, isWritable: true, refusal: "" });
  expect(one.chunksByCopiesLeft).toEqual([0n, 0n, BigInt(held), BigInt(20 - held)]);
  expect(one.bytesToCopy).toBe(BigInt(held * simChunkBytes));
  expect(one.summary).toContain("Without node-5: every chunk keeps a copy.");
  const three = await predict(fleet, lost(...fleet.nodes.slice(0, 3).map((other) => other.nodeId)));
  const gone = fleet.chunkIds.filter((chunkId) => !fleet.nodes.slice(3).some((other) => other.inventory.has(chunkId)));
  expect(three.filesLost).toBe(BigInt(gone.length));
  const most = await predict(fleet, lost(...fleet.nodes.map((other) => other.nodeId)));
  expect(most.filesLost).toBe(20n);
  expect(most.filesLostExamples).toContain("/file-1");
  expect(most).toMatchObject({ isRepairable: false, isWritable: false });
  node.kill();
  await fleet.cluster.world.runFor(11_000);
  const { chunks } = await fleet.cluster.status();
  expect(chunks?.missing).toBe(0n);
  await expect(predict(fleet, lost(77))).rejects.toMatchObject({ kind: "notFound" });
  await expect(predict(fleet, { case: "lostZone", value: "z" })).rejects.toMatchObject({ kind: "notFound" });
});

test("an order is predicted as it would be decided; the weakest points are named", async () => {
  const fleet = new SimFleet(2);
  await fleet.start(3, ["a", "b", "c"]);
  await fleet.store(10);
  await fleet.cluster.world.runFor(1000);
  const command = { case: "drainNode", value: create(DrainNodeSchema, { nodeId: 1, reason: "" }) } as const;
  const value = create(FleetCommandSchema, { command });
  const drain = await predict(fleet, { case: "command", value });
  expect(drain.refusal).toContain("3 copies of every chunk are wanted");
  expect(drain.summary).toContain("The order would be refused");
  await fleet.addNode("c");
  await fleet.cluster.world.runFor(2000);
  expect((await predict(fleet, { case: "command", value })).refusal).toBe("");
  const weakest = await fleet.cluster.world.settle(
    fleet.cluster.caller.call(FleetQueryService, (client, options) =>
      client.getWeakest(create(GetWeakestRequestSchema), options),
    ),
    25_000,
  );
  expect(weakest.node).toMatchObject({ chunksLost: 0n, chunksAtOne: 0n });
  expect(weakest.pair).toMatchObject({ chunksLost: 0n, filesLost: 0n });
  expect(weakest.pair?.chunksAtOne).toBeGreaterThan(0n);
  expect(weakest.zone).toMatchObject({ chunksLost: 0n });
});

test("the history goes on over a change of leader, in order and without doubles", async () => {
  const fleet = new SimFleet(3);
  await fleet.start(3);
  await fleet.store(5);
  await fleet.cluster.world.runFor(30_000);
  const before = await history(fleet);
  expect(before.samples.length).toBeGreaterThanOrEqual(5);
  const { id } = await fleet.cluster.leader();
  fleet.cluster.crash(id, "powerCut");
  await fleet.cluster.start(id);
  await fleet.cluster.leader(20_000);
  await fleet.cluster.world.runFor(20_000);
  const after = await history(fleet);
  const times = after.samples.map((sample) => sample.atMs);
  // The last sample before the crash may not have been fetched by anybody.
  for (const sample of before.samples.slice(0, -1)) expect(times).toContain(sample.atMs);
  expect(times).toEqual([...new Set(times)].toSorted((left, right) => (left < right ? -1 : 1)));
  expect(after.samples.length).toBeGreaterThan(before.samples.length);
  expect(after.samples.at(-1)).toMatchObject({ nodesTotal: 3, nodesLive: 3, chunksHealthy: 5n });
  expect(after.samples.at(-1)?.nodes).toHaveLength(3);
  const newest = times.at(-2) ?? 0n;
  expect((await history(fleet, newest)).samples.map((sample) => sample.atMs)[0]).toBe(times.at(-1));
});

test("the ledger says why a copy was removed, by whom, and which copies were there", async () => {
  const fleet = new SimFleet(4);
  await fleet.start(5);
  await fleet.store(10);
  const node = fleet.node(1);
  const [chunkId = 0] = node.inventory.keys();
  const value = create(DrainNodeSchema, { nodeId: node.nodeId, reason: "" });
  await fleet.order({ case: "drainNode", value });
  await fleet.until(() => node.inventory.size === 0);
  await fleet.cluster.world.runFor(3000);
  const ask = (id: number): Promise<GetChunkLedgerResponse> =>
    fleet.cluster.world.settle(
      fleet.cluster.caller.call(FleetQueryService, (client, options) =>
        client.getChunkLedger(create(GetChunkLedgerRequestSchema, { chunkId: BigInt(id) }), options),
      ),
      25_000,
    );
  const { entries, confirmedNodeIds } = await ask(chunkId);
  const kinds = entries.map((entry) => entry.kind);
  expect(kinds.slice(0, 3)).toEqual(["placed", "placed", "placed"]);
  const order = entries.find((entry) => entry.kind === "trimOrdered");
  expect(order).toMatchObject({ nodeId: node.nodeId, reason: "drained", actor: "controller:repair" });
  expect(order?.evidenceNodeIds).toEqual(confirmedNodeIds);
  expect(order?.evidenceNodeIds).toHaveLength(3);
  expect(kinds.at(-1)).toBe("trimmed");
  expect(entries.find((entry) => entry.kind === "placed" && entry.reason === "drain")).toBeDefined();
  await expect(ask(9999)).rejects.toMatchObject({ kind: "notFound" });
});
