import { create } from "@bufbuild/protobuf";
import { concatBytes } from "@holdfast/base";
import {
  ChunkControlService,
  ChunkDataService,
  ReadChunkRequestSchema,
  StatChunkRequestSchema,
} from "@holdfast/proto/chunk/v1/chunk";
import { errorKindToWire } from "@holdfast/rpc";
import type { Network } from "@holdfast/rpc";
import { describe, expect, it } from "vitest";
import { chunkserverDefaults } from "../config.ts";
import { sampleBytes, sha256Of } from "../store/chunk-store.contract.ts";
import { inFleet, sendChunk } from "../testing/fleet-in-world.ts";

const mebibyte = 1024 * 1024;

async function readChunk(
  client: Network,
  address: string,
  fields: { chunkId: number; offsetBytes?: number; lengthBytes?: number; clusterId?: string },
): Promise<Uint8Array> {
  const request = create(ReadChunkRequestSchema, {
    clusterId: "c1",
    generation: 1,
    ...fields,
    chunkId: BigInt(fields.chunkId),
  });
  const frames: Uint8Array[] = [];
  for await (const { data } of client.client(ChunkDataService, address).readChunk(request)) {
    expect(data.length).toBeLessThanOrEqual(mebibyte);
    frames.push(data);
  }
  return concatBytes(frames);
}

describe("ChunkDataService", () => {
  it("writes through three nodes and reads from each", () =>
    inFleet(3, async ({ client }, nodes) => {
      const bytes = sampleBytes(mebibyte + 77);
      expect((await sendChunk(client, { chunkId: 1, bytes, nodes })).sort()).toEqual([
        "1 durable",
        "2 durable",
        "3 durable",
      ]);
      for (const { address } of nodes) {
        expect(await readChunk(client, address, { chunkId: 1 })).toEqual(bytes);
        expect(await readChunk(client, address, { chunkId: 1, offsetBytes: 70_000, lengthBytes: 5 })).toEqual(
          bytes.subarray(70_000, 70_005),
        );
      }
    }));

  it("refuses another cluster, for writes, reads and questions", () =>
    inFleet(1, async ({ client }, nodes) => {
      const address = nodes[0]?.address ?? "";
      await expect(
        sendChunk(client, { chunkId: 1, bytes: sampleBytes(10), nodes, clusterId: "c2" }),
      ).rejects.toMatchObject({ kind: "wrongCluster" });
      await expect(readChunk(client, address, { chunkId: 1, clusterId: "" })).rejects.toMatchObject({
        kind: "wrongCluster",
      });
      const question = create(StatChunkRequestSchema, { clusterId: "c2", chunkId: 1n, generation: 1 });
      await expect(client.client(ChunkControlService, address).statChunk(question)).rejects.toMatchObject({
        kind: "wrongCluster",
      });
    }));

  it.each([
    { what: "another checksum", change: { sha256: sha256Of(sampleBytes(3)) }, kind: "checksumMismatch" },
    { what: "a checksum of the wrong size", change: { sha256: new Uint8Array(31) }, kind: "invalidArgument" },
    { what: "too few bytes", change: { lengthBytes: 500_001 }, kind: "invalidArgument" },
    { what: "too many bytes", change: { lengthBytes: 499_999 }, kind: "tooLarge" },
    { what: "a cut stream", change: { isCut: true }, kind: "invalidArgument" },
    {
      what: "a frame over 1 MiB",
      change: { bytes: sampleBytes(mebibyte + 1), frameBytes: 2 * mebibyte },
      kind: "tooLarge",
    },
    { what: "chunk id 0", change: { chunkId: 0 }, kind: "invalidArgument" },
    { what: "an unsafe chunk id", change: { chunkId: 2 ** 60 }, kind: "invalidArgument" },
    { what: "length 0", change: { bytes: new Uint8Array(0) }, kind: "invalidArgument" },
  ])("keeps nothing of a write with $what", ({ change, kind }) =>
    inFleet(1, async ({ client }, nodes) => {
      await expect(
        sendChunk(client, { chunkId: 1, bytes: sampleBytes(500_000), nodes, ...change }),
      ).rejects.toMatchObject({ kind });
      expect(nodes[0]?.chunkserver.status()).toMatchObject({ chunkCount: 0, activeWriteCount: 0 });
      await expect(readChunk(client, nodes[0]?.address ?? "", { chunkId: 1 })).rejects.toMatchObject({
        kind: "notFound",
      });
    }),
  );

  it("answers for a dead middle node and those behind it, and still acknowledges itself", () =>
    inFleet(3, async ({ client, world }, nodes) => {
      world.machine("node-2").processes()[0]?.crash();
      const acks = await sendChunk(client, { chunkId: 1, bytes: sampleBytes(mebibyte), nodes });
      const unavailable = errorKindToWire("unavailable");
      expect(acks.sort()).toEqual(["1 durable", `2 ${unavailable}`, `3 ${unavailable}`]);
    }));

  it("goes on when the middle node dies during the write", () =>
    inFleet(3, async ({ client, world }, nodes) => {
      const beforeFrame = async (offset: number): Promise<void> => {
        if (offset === mebibyte) world.machine("node-2").processes()[0]?.crash();
      };
      const acks = await sendChunk(client, { chunkId: 1, bytes: sampleBytes(2 * mebibyte), nodes, beforeFrame });
      expect(acks).toContain("1 durable");
      expect(acks).toHaveLength(3);
      expect(nodes[2]?.chunkserver.status()).toMatchObject({ chunkCount: 0 });
    }));

  it("is not held back for long by a next node that stands still, and answers for it", () =>
    inFleet(
      2,
      async ({ client, hub, world }, nodes) => {
        hub.partition(["node-1"], ["node-2"]);
        const beganMs = world.nowMs();
        let ownAckMs = 0;
        const acks = await sendChunk(
          client,
          { chunkId: 1, bytes: sampleBytes(4 * mebibyte), nodes },
          () => (ownAckMs ||= world.nowMs() - beganMs),
        );
        expect(acks[0]).toBe("1 durable");
        expect(acks[1]).toMatch(/^2 \d+$/);
        expect(ownAckMs).toBeLessThan(1000);
      },
      { forward: { backlogBytesMax: mebibyte, stallMs: 300, ackTimeoutMs: 1000 } },
    ));

  it("lets the others have the chunk when its own disk refuses", () =>
    inFleet(3, async ({ client, world }, nodes) => {
      world.machine("node-1").disk.failingSyncCount = 1;
      const acks = await sendChunk(client, { chunkId: 1, bytes: sampleBytes(mebibyte), nodes });
      expect(acks.sort()).toEqual([`1 ${errorKindToWire("diskFailed")}`, "2 durable", "3 durable"]);
      const again = await sendChunk(client, { chunkId: 2, bytes: sampleBytes(mebibyte), nodes });
      expect(again.sort()).toEqual([`1 ${errorKindToWire("diskFailed")}`, "2 durable", "3 durable"]);
    }));

  it("answers dataLoss for a damaged copy and never its bytes", () =>
    inFleet(1, async (fleet, nodes) => {
      const { client, world, leader } = fleet;
      await sendChunk(client, { chunkId: 1, bytes: sampleBytes(200_000), nodes });
      world.machine("node-1").disk.corrupt("/data/chunks/00/00/0000000000000001.1", 199_999);
      await expect(
        readChunk(client, nodes[0]?.address ?? "", { chunkId: 1, offsetBytes: 199_000, lengthBytes: 10 }),
      ).rejects.toMatchObject({ kind: "dataLoss" });
      await fleet.until(
        () => leader.reports.some(({ corrupt }) => corrupt.some(({ chunkId }) => chunkId === 1n)),
        1000,
      );
    }));

  it("tells what it has", () =>
    inFleet(1, async ({ client }, nodes) => {
      const bytes = sampleBytes(1000);
      await sendChunk(client, { chunkId: 7, bytes, nodes });
      const control = client.client(ChunkControlService, nodes[0]?.address ?? "");
      const found = await control.statChunk(
        create(StatChunkRequestSchema, { clusterId: "c1", chunkId: 7n, generation: 1 }),
      );
      expect(found).toMatchObject({ isPresent: true, lengthBytes: 1000 });
      expect(new Uint8Array(found.sha256)).toEqual(sha256Of(bytes));
      expect(
        await control.statChunk(create(StatChunkRequestSchema, { clusterId: "c1", chunkId: 8n, generation: 1 })),
      ).toMatchObject({ isPresent: false });
    }));

  it("takes no more than its places for writes, and says tooBusy", () =>
    inFleet(
      1,
      async ({ client }, nodes) => {
        const bytes = sampleBytes(600_000);
        const blocked = sendChunk(client, { chunkId: 2, bytes, nodes });
        const first = sendChunk(client, { chunkId: 1, bytes, nodes });
        const outcomes = await Promise.allSettled([first, blocked]);
        expect(
          outcomes
            .map((outcome) => (outcome.status === "rejected" ? (outcome.reason as { kind: string }).kind : "ok"))
            .sort(),
        ).toEqual(["ok", "tooBusy"]);
      },
      { store: { ...chunkserverDefaults.store, activeWritesMax: 1 } },
    ));
});
