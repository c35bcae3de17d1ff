import { decodeBucketDigests } from "@holdfast/base";
import { ListBucketsSchema } from "@holdfast/proto/master/v1/master";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { sampleBytes } from "../store/chunk-store.contract.ts";
import { FakeLeader } from "../testing/fake-leader.ts";
import { FleetInWorld, inFleet, sendChunk } from "../testing/fleet-in-world.ts";

const names = (chunks: readonly { readonly chunkId: bigint }[]): string =>
  chunks.map(({ chunkId }) => chunkId).join(",");

async function inEmptyFleet(body: (fleet: FleetInWorld) => Promise<void>): Promise<void> {
  const fleet = new FleetInWorld(5);
  await fleet.world.settle(body(fleet), 600_000);
}

describe("Reporter", () => {
  it("joins, reports every second with growing sequence, and sends all digests first and every tenth time", () =>
    inFleet(1, async (fleet) => {
      await fleet.sleep(25_000);
      const reports = fleet.leader.reportsOf("node-1");
      expect(reports.length).toBeGreaterThan(23);
      expect(reports.length).toBeLessThan(30);
      reports.forEach((report, index) => expect(report.sequence).toBe(BigInt(index + 1)));
      expect(reports.flatMap(({ bucketDigests }, index) => (bucketDigests.length > 0 ? [index] : []))).toEqual([
        0, 10, 20,
      ]);
      expect(reports[0]).toMatchObject({
        clusterId: "",
        address: "node-1:7000",
        ip: "10.0.0.1",
        mac: "02:00:00:00:00:01",
        diskState: "ok",
      });
      expect(reports.at(-1)).toMatchObject({ clusterId: "c1", term: 1n });
    }));

  it("reports a new copy soon, once on a healthy stream, and again to a new leader", () =>
    inFleet(1, async (fleet, nodes) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(10), nodes });
      await fleet.until(() => fleet.leader.reports.some(({ added }) => names(added) === "1"), 300);
      await fleet.sleep(3000);
      expect(fleet.leader.reports.filter(({ added }) => added.length > 0)).toHaveLength(1);
      const before = fleet.leader.reports.length;
      fleet.leader.endStreams();
      await fleet.until(() => fleet.leader.reports.length > before);
      const first = fleet.leader.reports[before];
      expect(names(first?.stillHeld ?? [])).toBe("1");
      const digests = decodeBucketDigests(first?.bucketDigests ?? new Uint8Array()) ?? [];
      expect(digests.flatMap((digest, bucket) => (digest > 0 ? [bucket] : []))).toEqual([1]);
      await fleet.sleep(40_000);
      const later = fleet.leader.reports.length;
      fleet.leader.endStreams();
      await fleet.until(() => fleet.leader.reports.length > later);
      expect(fleet.leader.reports[later]).toMatchObject({ added: [], stillHeld: [] });
    }));

  it("keeps its identity over a restart and gets a new incarnation", () =>
    inFleet(1, async (fleet, nodes) => {
      const before = nodes[0]?.chunkserver.node();
      nodes[0]?.process.crash();
      const again = await fleet.startNode("node-1");
      expect(again.chunkserver.node()).toEqual(before);
      await fleet.until(() => again.chunkserver.readiness().isReady);
      expect(new Set(fleet.leader.reports.map(({ incarnation }) => incarnation)).size).toBe(2);
      expect(new Set(fleet.leader.reports.map(({ nodeUuid }) => nodeUuid)).size).toBe(1);
    }));

  it("follows a redirect, and finds the leader itself when nobody knows it", () =>
    inEmptyFleet(async (fleet) => {
      for (const [name, redirectTo] of [
        ["master-2", "master-1:6000"],
        ["master-3", ""],
      ] as const) {
        const follower = new FakeLeader({ redirectTo });
        await follower.listen(fleet.hub.forProcess(fleet.world.machine(name).startProcess()), `${name}:6000`);
      }
      await fleet.startLeader();
      const hinted = await fleet.startNode("node-1", { masterAddresses: ["master-2:6000"] });
      const unhinted = await fleet.startNode("node-2", {
        masterAddresses: ["gone:6000", "master-3:6000", "master-1:6000"],
      });
      await fleet.until(
        () => hinted.chunkserver.readiness().isReady && unhinted.chunkserver.readiness().isReady,
        10_000,
      );
    }));

  it("comes back after the leader was away", () =>
    inFleet(2, async (fleet, nodes) => {
      fleet.world.machine("master-1").processes()[0]?.crash();
      await fleet.until(() => nodes.every(({ chunkserver }) => !chunkserver.readiness().isReady));
      await fleet.sleep(20_000);
      await fleet.startLeader();
      await fleet.until(() => nodes.every(({ chunkserver }) => chunkserver.readiness().isReady), 5000);
    }));

  it("gives a silent master up and asks another", () =>
    inEmptyFleet(async (fleet) => {
      await fleet.startLeader();
      fleet.hub.partition(["node-1"], ["silent"]);
      const node = await fleet.startNode("node-1", { masterAddresses: ["silent:6000", "master-1:6000"] });
      await fleet.until(() => node.chunkserver.readiness().isReady, 5000);
    }));

  it("obeys a trim and reports it, again when it is ordered again", () =>
    inFleet(1, async (fleet, nodes) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(10), nodes });
      for (const count of [1, 2]) {
        fleet.leader.trim(1, 1);
        await fleet.until(
          () => fleet.leader.reports.filter(({ trimmed }) => names(trimmed) === "1").length === count,
          2000,
        );
      }
      expect(nodes[0]?.chunkserver.status().chunkCount).toBe(0);
    }));

  it("refuses trims for others, of a lower term, and of a deposed leader after a restart", () =>
    inFleet(1, async (fleet, nodes) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(10), nodes });
      fleet.leader.trim(1, 1, { nodeId: 2 });
      fleet.leader.trim(1, 99, { term: 8 });
      await fleet.until(() => fleet.leader.reports.some(({ trimmed }) => names(trimmed) === "99"));
      fleet.leader.trim(1, 1, { term: 7 });
      await fleet.sleep(5000);
      expect(nodes[0]?.chunkserver.status().chunkCount).toBe(1);
      nodes[0]?.process.crash();
      const again = await fleet.startNode("node-1");
      await fleet.sleep(15_000);
      expect(again.chunkserver.readiness().isReady).toBe(false);
      fleet.leader.options = { clusterId: "c1", term: 8 };
      await fleet.until(() => again.chunkserver.readiness().isReady, 15_000);
      fleet.leader.trim(1, 1);
      await fleet.until(() => again.chunkserver.status().chunkCount === 0);
    }));

  it("lists the buckets it is asked for", () =>
    inFleet(1, async (fleet, nodes) => {
      for (const chunkId of [5, 261, 6]) await sendChunk(fleet.client, { chunkId, bytes: sampleBytes(chunkId), nodes });
      fleet.leader.order(1, { case: "listBuckets", value: create(ListBucketsSchema, { buckets: [5, 7, 300] }) });
      await fleet.until(() => fleet.leader.reports.some(({ listed }) => listed.length === 2));
      const listed = fleet.leader.reports.find(({ listed: buckets }) => buckets.length === 2)?.listed ?? [];
      expect(
        listed.map(({ bucket, chunks }) => [
          bucket,
          new Map(chunks.map(({ chunkId, lengthBytes }) => [chunkId, lengthBytes])),
        ]),
      ).toEqual([
        [
          5,
          new Map([
            [5n, 5],
            [261n, 261],
          ]),
        ],
        [7, new Map()],
      ]);
    }));

  it("takes no welcome of another cluster, neither for a joined directory nor against its setting", () =>
    inEmptyFleet(async (fleet) => {
      await fleet.startLeader();
      const meant = await fleet.startNode("node-1", { expectedClusterId: "c9" });
      await fleet.sleep(15_000);
      expect(meant.chunkserver.node().clusterId).toBe("");
      await meant.chunkserver.stop();
      const joined = await fleet.startNode("node-2");
      await fleet.until(() => joined.chunkserver.node().clusterId === "c1");
      await joined.chunkserver.stop();
      await expect(fleet.startNode("node-2", { expectedClusterId: "c9" })).rejects.toMatchObject({
        kind: "wrongCluster",
      });
    }));

  it("will not serve chunks whose identity is lost", () =>
    inFleet(1, async (fleet, nodes) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(10), nodes });
      await nodes[0]?.process.disk.remove("/data/node.json");
      await nodes[0]?.chunkserver.stop();
      await expect(fleet.startNode("node-1")).rejects.toMatchObject({ kind: "precondition" });
    }));

  it("stops in the middle of everything", () =>
    inFleet(2, async (fleet, nodes) => {
      const outcome = sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(3_000_000), nodes }).catch(
        (error: unknown) => error,
      );
      await fleet.sleep(1);
      await Promise.all(nodes.map(({ chunkserver }) => chunkserver.stop()));
      await outcome;
      expect(nodes.map(({ chunkserver }) => chunkserver.status().activeWriteCount)).toEqual([0, 0]);
    }));
});
