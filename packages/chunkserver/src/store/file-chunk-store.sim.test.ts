import { toHex } from "@holdfast/base";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { inWorld, openStoreInWorld } from "../testing/store-in-world.ts";
import { describeChunkStore, readAll, sampleBytes, sha256Of, wholeOf, writeChunk } from "./chunk-store.contract.ts";

const fileOf = (chunkId: number): string => `/data/chunks/00/00/${chunkId.toString(16).padStart(16, "0")}.1`;

describeChunkStore("FileChunkStore", (body) =>
  inWorld(({ store, inventory, machine }) =>
    body({
      store,
      inventory,
      damage: async ({ chunkId }, offsetBytes) => machine.disk.corrupt(fileOf(chunkId), offsetBytes),
    }),
  ),
);

describe("FileChunkStore", () => {
  it("finds everything acknowledged again after a power cut, and nothing half-done", async () => {
    const world = createSimWorld(3);
    const before = await openStoreInWorld(world);
    const bytes = sampleBytes(200_000);
    await world.settle(
      Promise.all([1, 2, 300, 70_000].map((chunkId) => writeChunk(before.store, chunkId, bytes))),
      10_000,
    );
    const half = await world.settle(before.store.beginWrite({ chunkId: 5, generation: 1, lengthBytes: 400_000 }), 1000);
    await world.settle(half.append(sampleBytes(300_000)), 1000);
    before.machine.powerCut();
    const after = await openStoreInWorld(world);
    expect(after.store.status()).toMatchObject({ chunkCount: 4, usedBytes: 800_000 });
    for (const chunkId of [1, 2, 300, 70_000]) {
      expect(
        await world.settle(readAll(after.store, wholeOf({ chunkId, generation: 1, lengthBytes: 0 })), 1000),
      ).toEqual(bytes);
    }
    expect(await world.settle(after.process.disk.list("/data/tmp"), 1000)).toEqual([]);
    expect(after.store.bucketDigests()).toEqual(before.store.bucketDigests());
  });

  it("never acknowledges what a power cut takes away, wherever it strikes", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const world = createSimWorld(`cut ${seed}`);
      const before = await openStoreInWorld(world);
      const acknowledged: number[] = [];
      for (let chunkId = 1; chunkId <= 6; chunkId++) {
        const written = writeChunk(before.store, chunkId * 100, sampleBytes(50_000 * chunkId));
        written.then(
          () => acknowledged.push(chunkId * 100),
          () => undefined,
        );
      }
      await world.runFor(seed * 0.7);
      before.machine.powerCut();
      const after = await openStoreInWorld(world);
      for (const chunkId of acknowledged) {
        const read = await world.settle(
          readAll(after.store, wholeOf({ chunkId, generation: 1, lengthBytes: 0 })),
          1000,
        );
        expect(Buffer.compare(read, sampleBytes(500 * chunkId))).toBe(0);
      }
    }
  });

  it("calls its disk failed for ever after a failed sync, and goes on reading", () =>
    inWorld(async ({ store, machine }) => {
      const chunk = await writeChunk(store, 1, sampleBytes(1000));
      machine.disk.failingSyncCount = 1;
      await expect(writeChunk(store, 2, sampleBytes(1000))).rejects.toMatchObject({ kind: "diskFailed" });
      await expect(writeChunk(store, 3, sampleBytes(1000))).rejects.toMatchObject({ kind: "diskFailed" });
      expect(store.status()).toMatchObject({ diskState: "failed", chunkCount: 1, activeWriteCount: 0 });
      expect(await readAll(store, wholeOf(chunk))).toEqual(sampleBytes(1000));
    }));

  it("refuses with noSpace at 95 % and when the disk says so, and recovers when there is room", async () => {
    await inWorld(
      async ({ store }) => {
        await writeChunk(store, 1, sampleBytes(900_000));
        await expect(writeChunk(store, 2, sampleBytes(100_000))).rejects.toMatchObject({ kind: "noSpace" });
        await writeChunk(store, 3, sampleBytes(40_000));
        expect(store.status()).toMatchObject({ chunkCount: 2, capacityBytes: 1_000_000 });
      },
      { capacityBytesMax: 1_000_000 },
    );
    await inWorld(
      async ({ store, process, machine }) => {
        // Somebody else fills the disk between two looks.
        const other = await process.disk.open("/other", "create");
        await other.write(new Uint8Array(machine.disk.capacityBytes - 100_000), 0);
        await expect(writeChunk(store, 1, sampleBytes(300_000))).rejects.toMatchObject({ kind: "noSpace" });
        expect(store.status()).toMatchObject({ diskState: "full", chunkCount: 0, activeWriteCount: 0 });
        expect(await process.disk.list("/data/tmp")).toEqual([]);
        await process.disk.remove("/other");
        await process.timers.sleep(6000);
        expect(store.status().diskState).toBe("ok");
        await writeChunk(store, 1, sampleBytes(300_000));
      },
      {},
      { capacityBytes: 2_000_000 },
    );
  });

  it("refuses more writes than it has places for, and gives places back", () =>
    inWorld(
      async ({ store }) => {
        const first = await store.beginWrite({ chunkId: 1, generation: 1, lengthBytes: 10 });
        await expect(store.beginWrite({ chunkId: 2, generation: 1, lengthBytes: 10 })).rejects.toMatchObject({
          kind: "tooBusy",
        });
        await first.abort();
        await writeChunk(store, 2, sampleBytes(10));
      },
      { activeWritesMax: 1 },
    ));

  it("holds a fast sender back while the disk is slow", () =>
    inWorld(async ({ store, machine, world }) => {
      machine.disk.stall();
      const write = await store.beginWrite({ chunkId: 1, generation: 1, lengthBytes: 16_000_000 });
      let acceptedBytes = 0;
      const sending = (async () => {
        for (; acceptedBytes < 16_000_000; acceptedBytes += 500_000) await write.append(sampleBytes(500_000));
      })();
      await world.machine("elsewhere").startProcess().timers.sleep(1000);
      expect(acceptedBytes).toBeLessThan(4_000_000);
      machine.disk.resume();
      await sending;
      expect(acceptedBytes).toBe(16_000_000);
      await write.abort();
    }));

  it("keeps trimmed copies for a while and then unlinks them", () =>
    inWorld(async ({ store, process }) => {
      const chunk = await writeChunk(store, 1, sampleBytes(10));
      await store.trim(chunk, 42);
      expect(await process.disk.list("/data/trash")).toEqual(["42-0000000000000001.1"]);
      await process.timers.sleep(120_000);
      expect(await process.disk.list("/data/trash")).toEqual([]);
    }));

  it("moves torn files aside at start and damaged footers at first use, and leaves foreign names alone", async () => {
    const world = createSimWorld(5);
    const before = await openStoreInWorld(world);
    await world.settle(
      Promise.all([1, 2].map((chunkId) => writeChunk(before.store, chunkId, sampleBytes(100_000)))),
      1000,
    );
    const torn = await world.settle(before.process.disk.open(fileOf(1), "readWrite"), 1000);
    await world.settle(torn.truncate(65_670), 1000);
    await world.settle(before.process.disk.open("/data/chunks/00/00/notes.txt", "create"), 1000);
    before.machine.disk.corrupt(fileOf(2), 100_000 + 8 + 20);
    before.process.crash();
    const { store, inventory, process } = await openStoreInWorld(world);
    expect(store.status().chunkCount).toBe(1);
    await expect(world.settle(store.facts({ chunkId: 2, generation: 1 }), 1000)).rejects.toMatchObject({
      kind: "dataLoss",
    });
    expect(inventory.events).toEqual(["corrupt 2.1"]);
    expect(await world.settle(process.disk.list("/data/quarantine"), 1000)).toHaveLength(2);
    expect(await world.settle(process.disk.list("/data/chunks/00/00"), 1000)).toEqual(["notes.txt"]);
  });

  it("takes a new copy in place of a damaged one that nobody had noticed", () =>
    inWorld(async ({ store, machine, inventory }) => {
      const chunk = await store.beginWrite({ chunkId: 1, generation: 1, lengthBytes: 100_000 });
      await writeChunk(store, 1, sampleBytes(100_000));
      machine.disk.corrupt(fileOf(1), 100_000 + 8 + 20);
      await chunk.append(sampleBytes(100_000));
      await chunk.commit(sha256Of(sampleBytes(100_000)));
      expect(inventory.events).toEqual(["added 1.1", "corrupt 1.1", "added 1.1"]);
      expect(await store.verify({ chunkId: 1, generation: 1 })).toBe(true);
      expect(store.has({ chunkId: 1, generation: 1 })).toBe(true);
    }));

  it("finds damage in the footer of a copy that was read a moment ago", () =>
    inWorld(async ({ store, machine, inventory }) => {
      const chunk = await writeChunk(store, 1, sampleBytes(100_000));
      await readAll(store, wholeOf(chunk));
      machine.disk.corrupt(fileOf(1), 100_000 + 8 + 20);
      expect(await store.verify(chunk)).toBe(false);
      expect(inventory.events).toEqual(["added 1.1", "corrupt 1.1"]);
    }));

  it("keeps nothing of a copy that is ordered away while it is written", () =>
    inWorld(async ({ store, process, inventory }) => {
      const write = await store.beginWrite({ chunkId: 1, generation: 1, lengthBytes: 1000 });
      await write.append(sampleBytes(1000));
      await store.trim({ chunkId: 1, generation: 1 }, 3);
      await expect(write.commit(sha256Of(sampleBytes(1000)))).rejects.toMatchObject({ kind: "precondition" });
      expect(inventory.events).toEqual(["trimmed 1.1"]);
      expect(await process.disk.list("/data/tmp")).toEqual([]);
      await writeChunk(store, 1, sampleBytes(1000));
      expect(store.has({ chunkId: 1, generation: 1 })).toBe(true);
    }));

  it("reports a file that was taken away behind its back", () =>
    inWorld(async ({ store, process, inventory }) => {
      const chunk = await writeChunk(store, 1, sampleBytes(10));
      await process.disk.remove(fileOf(1));
      await expect(readAll(store, wholeOf(chunk))).rejects.toMatchObject({ kind: "dataLoss" });
      expect(inventory.events).toEqual(["added 1.1", "corrupt 1.1"]);
    }));

  it("is the format that docs/formats/chunk-file.md describes", () =>
    inWorld(async ({ store, process }) => {
      await writeChunk(store, 1, sampleBytes(65_537));
      const file = await process.disk.readFile(fileOf(1));
      expect(file.length).toBe(65_537 + 8 + 128);
      const footer = file.subarray(65_545);
      expect(toHex(footer.subarray(0, 32))).toBe(
        "48464348554e4b0a0001000000010000" + "0000000000000001" + "00000001" + "00010001",
      );
      expect(footer.subarray(32, 64)).toEqual(sha256Of(sampleBytes(65_537)));
      expect(toHex(footer.subarray(64, 67))).toBe("633100");
    }));
});
