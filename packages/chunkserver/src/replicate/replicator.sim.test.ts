import { create } from "@bufbuild/protobuf";
import { ReplicateChunkSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, test } from "vitest";
import { sha256Of } from "../store/chunk-store.contract.ts";
import { inFleet, sendChunk, type FleetInWorld, type NodeInWorld } from "../testing/fleet-in-world.ts";

const chunkBytes = 600_000;
const bytes = Uint8Array.from({ length: chunkBytes }, (_, index) => (index * 31) % 251);

interface Wish {
  readonly chunkId?: number;
  readonly sources: readonly NodeInWorld[];
  readonly sha256?: Uint8Array;
  readonly term?: number;
  readonly bytesPerSecondMax?: number;
}

function order(fleet: FleetInWorld, target: NodeInWorld, wish: Wish): void {
  const { nodeId } = target.chunkserver.node();
  const value = create(ReplicateChunkSchema, {
    ...{ chunkId: BigInt(wish.chunkId ?? 7), generation: 1, lengthBytes: chunkBytes, nodeId },
    sha256: wish.sha256 ?? sha256Of(bytes),
    term: BigInt(wish.term ?? 1),
    sources: wish.sources.map(({ address, chunkserver }) => ({ nodeId: chunkserver.node().nodeId, address })),
    bytesPerSecondMax: BigInt(wish.bytesPerSecondMax ?? 0),
  });
  fleet.leader.order(nodeId, { case: "replicate", value });
}

function addedBy(fleet: FleetInWorld, node: NodeInWorld): number[] {
  return fleet.leader.reportsOf(node.name).flatMap(({ added }) => added.map(({ chunkId }) => Number(chunkId)));
}

function three(nodes: readonly NodeInWorld[]): readonly [NodeInWorld, NodeInWorld, NodeInWorld] {
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three nodes were started");
  return [first, second, third];
}

describe("an order to fetch a copy", () => {
  test("gives a copy that is reported and can be given on", () =>
    inFleet(3, async (fleet, nodes) => {
      const [first, second, third] = three(nodes);
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first] });
      order(fleet, second, { sources: [first] });
      await fleet.until(() => addedBy(fleet, second).includes(7));
      order(fleet, third, { sources: [second] });
      await fleet.until(() => addedBy(fleet, third).includes(7));
      expect(third.chunkserver.status()).toMatchObject({ chunkCount: 1, activeWriteCount: 0 });
    }));

  test("takes the next source when one has no copy, has died, or gives other bytes; other bytes are never kept", () =>
    inFleet(3, async (fleet, nodes) => {
      const [first, second, third] = three(nodes);
      await sendChunk(fleet.client, { chunkId: 7, bytes: bytes.map((byte) => byte ^ 1), nodes: [first] });
      order(fleet, third, { sources: [first, second] });
      await fleet.sleep(3000);
      expect(third.chunkserver.status()).toMatchObject({ chunkCount: 0, activeWriteCount: 0 });
      const { nodeId } = first.chunkserver.node();
      expect(fleet.leader.badReplicas).toMatchObject([{ chunkId: 7n, nodeId, reason: "corrupt" }]);
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [second] });
      order(fleet, third, { sources: [first, second] });
      await fleet.until(() => addedBy(fleet, third).includes(7));
      await sendChunk(fleet.client, { chunkId: 8, bytes, nodes: [second] });
      first.process.crash();
      order(fleet, third, { chunkId: 8, sources: [first, second] });
      await fleet.until(() => addedBy(fleet, third).includes(8));
    }));

  test("a damaged source quarantines and reports its copy, and the next one is asked", () =>
    inFleet(3, async (fleet, nodes) => {
      const [first, second, third] = three(nodes);
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first, second] });
      fleet.world.machine(first.name).disk.corrupt("/data/chunks/00/00/0000000000000007.1", 1000);
      order(fleet, third, { sources: [first, second] });
      await fleet.until(() => addedBy(fleet, third).includes(7));
      const corrupt = fleet.leader.reportsOf(first.name).flatMap((report) => report.corrupt);
      expect(corrupt.map(({ chunkId }) => Number(chunkId))).toContain(7);
    }));

  test("of a leader that is over, or for another node, is refused", () =>
    inFleet(2, async (fleet, nodes) => {
      const [first, second] = [...nodes] as [NodeInWorld, NodeInWorld];
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first] });
      order(fleet, second, { sources: [first], term: 0 });
      await fleet.sleep(3000);
      expect(second.chunkserver.status().chunkCount).toBe(0);
    }));

  test("for a copy that is here already only reports it again", () =>
    inFleet(2, async (fleet, nodes) => {
      const [first, second] = [...nodes] as [NodeInWorld, NodeInWorld];
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first, second] });
      await fleet.sleep(20_000);
      const before = fleet.leader.reportsOf(second.name).length;
      order(fleet, second, { sources: [first] });
      await fleet.until(() =>
        fleet.leader
          .reportsOf(second.name)
          .slice(before)
          .some(({ added }) => added.length > 0),
      );
    }));

  test("for a copy that is here with other bytes neither takes it nor calls it confirmed", () =>
    inFleet(2, async (fleet, nodes) => {
      const [first, second] = [...nodes] as [NodeInWorld, NodeInWorld];
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first] });
      await sendChunk(fleet.client, { chunkId: 7, bytes: bytes.map((byte) => byte ^ 1), nodes: [second] });
      await fleet.sleep(20_000);
      const before = fleet.leader.reportsOf(second.name).length;
      order(fleet, second, { sources: [first] });
      await fleet.sleep(5000);
      const later = fleet.leader.reportsOf(second.name).slice(before);
      expect(later.length).toBeGreaterThan(0);
      expect(later.flatMap(({ added }) => added)).toEqual([]);
      expect(fleet.leader.badReplicas).toEqual([]);
    }));

  test("keeps to its rate, and a trim in the middle ends it for good", () =>
    inFleet(2, async (fleet, nodes) => {
      const [first, second] = [...nodes] as [NodeInWorld, NodeInWorld];
      await sendChunk(fleet.client, { chunkId: 7, bytes, nodes: [first] });
      order(fleet, second, { sources: [first], bytesPerSecondMax: chunkBytes / 5 });
      await fleet.sleep(3000);
      expect(second.chunkserver.status()).toMatchObject({ chunkCount: 0, activeWriteCount: 1 });
      fleet.leader.trim(second.chunkserver.node().nodeId, 7);
      await fleet.until(() => second.chunkserver.status().activeWriteCount === 0, 1000);
      await fleet.sleep(10_000);
      expect(second.chunkserver.status().chunkCount).toBe(0);
      order(fleet, second, { sources: [first], bytesPerSecondMax: chunkBytes / 5 });
      await fleet.sleep(4000);
      expect(second.chunkserver.status().chunkCount).toBe(0);
      await fleet.until(() => second.chunkserver.status().chunkCount === 1, 3000);
    }));
});
