import { create } from "@bufbuild/protobuf";
import { ChunkDataService, ReadChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import { ReplicateChunkSchema } from "@holdfast/proto/master/v1/master";
import { expect, test } from "vitest";
import { chunkserverDefaults } from "../config.ts";
import { sampleBytes, sha256Of } from "../store/chunk-store.contract.ts";
import { inFleet, sendChunk } from "../testing/fleet-in-world.ts";
import type { FleetInWorld, NodeInWorld } from "../testing/fleet-in-world.ts";

const mebibyte = 1024 * 1024;
const bytes = sampleBytes(4 * mebibyte);

function fetchOrder(fleet: FleetInWorld, target: NodeInWorld, source: NodeInWorld, chunkId: number): void {
  const { nodeId } = target.chunkserver.node();
  const sources = [{ nodeId: source.chunkserver.node().nodeId, address: source.address }];
  const value = create(ReplicateChunkSchema, {
    ...{ chunkId: BigInt(chunkId), generation: 1, lengthBytes: bytes.length, sha256: sha256Of(bytes) },
    ...{ term: 1n, sources, bytesPerSecondMax: BigInt(8 * mebibyte), nodeId },
  });
  fleet.leader.order(nodeId, { case: "replicate", value });
}

async function read(fleet: FleetInWorld, { address }: NodeInWorld, chunkId: number): Promise<void> {
  const request = create(ReadChunkRequestSchema, {
    clusterId: "c1",
    chunkId: BigInt(chunkId),
    generation: 1,
    lengthBytes: 65_536,
  });
  for await (const { data } of fleet.client.client(ChunkDataService, address).readChunk(request)) void data;
}

/** Virtual ms that fetching four chunks takes, with or without somebody who reads at the source all the time. */
async function fetchMs({ isRead, slowness }: { isRead: boolean; slowness: number }): Promise<number> {
  let tookMs = 0;
  await inFleet(
    2,
    async (fleet, [source, target]) => {
      if (source === undefined || target === undefined) throw new Error("two nodes were asked for");
      for (const chunkId of [1, 2, 3, 4]) await sendChunk(fleet.client, { chunkId, bytes, nodes: [source] });
      let isOver = false;
      const reader = (async () => {
        while (isRead && !isOver) {
          await read(fleet, source, 1);
          await fleet.sleep(20);
        }
      })();
      await fleet.sleep(3000);
      fleet.world.machine("node-1").disk.slowness = slowness;
      const beganMs = fleet.world.nowMs();
      for (const chunkId of [1, 2, 3, 4]) fetchOrder(fleet, target, source, chunkId);
      await fleet.until(() => target.chunkserver.status().chunkCount === 4, 120_000);
      tookMs = fleet.world.nowMs() - beganMs;
      isOver = true;
      await reader;
    },
    { replicate: { ...chunkserverDefaults.replicate, bytesPerSecondMax: 16 * mebibyte } },
  );
  return tookMs;
}

test("copying keeps its rate where nobody reads, or where readers do not notice", async () => {
  const aloneMs = await fetchMs({ isRead: false, slowness: 1 });
  expect(aloneMs).toBeLessThan(3000);
  expect(await fetchMs({ isRead: true, slowness: 1 })).toBeLessThan(aloneMs * 1.5);
});

test("copying slows down at a source whose readers wait long", async () => {
  // The disk becomes slow as the copying begins, and its readers were used to better.
  const aloneMs = await fetchMs({ isRead: false, slowness: 200 });
  const besideReadersMs = await fetchMs({ isRead: true, slowness: 200 });
  expect(besideReadersMs).toBeGreaterThan(aloneMs * 1.5);
});

test("a source gives out only so many copies at once, and the others get theirs later", () =>
  inFleet(
    2,
    async (fleet, [source, target]) => {
      if (source === undefined || target === undefined) throw new Error("two nodes were asked for");
      for (const chunkId of [1, 2, 3]) await sendChunk(fleet.client, { chunkId, bytes, nodes: [source] });
      let mostAtOnce = 0;
      for (const chunkId of [1, 2, 3]) fetchOrder(fleet, target, source, chunkId);
      await fleet.until(() => {
        mostAtOnce = Math.max(mostAtOnce, source.chunkserver.status().activeReadCount);
        return target.chunkserver.status().chunkCount === 3;
      });
      expect(mostAtOnce).toBe(1);
    },
    { replicate: { ...chunkserverDefaults.replicate, pullsMax: 3, sourceReadsMax: 1 } },
  ));
