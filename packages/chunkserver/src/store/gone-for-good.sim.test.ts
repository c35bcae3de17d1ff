import { HoldfastError } from "@holdfast/base";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { FailingFolders } from "../testing/failing-folders.ts";
import { openStoreInWorld } from "../testing/store-in-world.ts";
import { sampleBytes, writeChunk } from "./chunk-store.contract.ts";

describe("what was ordered away or set aside", () => {
  it.each([1, 2, 3, 4, 5])("never comes back after a power cut (run %i)", async (run) => {
    const world = createSimWorld(`gone-${run}`);
    const before = await openStoreInWorld(world);
    const trimmed = { chunkId: 1, generation: 1 };
    await world.settle(
      Promise.all([1, 2, 3].map((chunkId) => writeChunk(before.store, chunkId, sampleBytes(90_000)))),
      10_000,
    );
    await world.settle(before.store.trim(trimmed, 7), 1000);
    before.machine.disk.corrupt("/data/chunks/00/00/0000000000000002.1", 5);
    await world.settle(before.store.verify({ chunkId: 2, generation: 1 }), 1000);
    before.machine.powerCut();
    const after = await openStoreInWorld(world);
    expect(after.store.has(trimmed)).toBe(false);
    expect(after.store.has({ chunkId: 2, generation: 1 })).toBe(false);
    expect(after.store.status().chunkCount).toBe(1);
    expect(await world.settle(after.process.disk.list("/data/trash"), 1000)).toEqual(["7-0000000000000001.1"]);
    expect(await world.settle(after.process.disk.list("/data/quarantine"), 1000)).toHaveLength(1);
    // Ordered again by a leader that did not hear of it: answered again, and nothing else happens.
    await world.settle(after.store.trim(trimmed, 8), 1000);
    expect(after.inventory.events).toEqual(["trimmed 1.1"]);
  });

  it("has no half: a power cut during the order leaves the copy whole or gone", async () => {
    for (let delayMs = 0; delayMs < 4; delayMs += 0.25) {
      const world = createSimWorld(`half-${delayMs}`);
      const before = await openStoreInWorld(world);
      const bytes = sampleBytes(90_000);
      await world.settle(writeChunk(before.store, 1, bytes), 10_000);
      before.store.trim({ chunkId: 1, generation: 1 }, 7).catch(() => undefined);
      await world.settle(world.machine("clock").startProcess().timers.sleep(delayMs), 1000);
      before.machine.powerCut();
      const after = await openStoreInWorld(world);
      const trash = await world.settle(after.process.disk.list("/data/trash"), 1000);
      if (after.store.has({ chunkId: 1, generation: 1 })) {
        expect(await world.settle(after.store.verify({ chunkId: 1, generation: 1 }), 1000)).toBe(true);
        expect(before.inventory.events).not.toContain("trimmed 1.1");
      } else expect(trash).toEqual(["7-0000000000000001.1"]);
    }
  });

  it("is not called gone when the disk failed on the way, however often it is ordered", async () => {
    const world = createSimWorld("failed on the way");
    const before = await openStoreInWorld(world);
    const key = { chunkId: 1, generation: 1 };
    await world.settle(writeChunk(before.store, 1, sampleBytes(90_000)), 10_000);
    before.machine.disk.failingSyncCount = 1;
    for (let count = 0; count < 3; count++) {
      await expect(world.settle(before.store.trim(key, 7), 1000)).rejects.toMatchObject({ kind: "diskFailed" });
    }
    expect(before.inventory.events).not.toContain("trimmed 1.1");
    before.machine.powerCut();
    const after = await openStoreInWorld(world);
    await world.settle(after.store.trim(key, 8), 1000);
    expect(after.inventory.events).toEqual(["trimmed 1.1"]);
    expect(after.store.has(key)).toBe(false);
  });

  it("is called gone once there is room again for what was begun", async () => {
    const world = createSimWorld("no room on the way");
    const folders = new FailingFolders();
    const { store, inventory } = await openStoreInWorld(world, {}, { wrap: (disk) => folders.wrap(disk) });
    const key = { chunkId: 1, generation: 1 };
    await world.settle(writeChunk(store, 1, sampleBytes(90_000)), 10_000);
    folders.failures.set("/data", "full");
    await expect(world.settle(store.trim(key, 7), 1000)).rejects.toMatchObject({ kind: "noSpace" });
    expect(inventory.events).not.toContain("trimmed 1.1");
    folders.failures.clear();
    await world.settle(store.trim(key, 7), 1000);
    expect(inventory.events).toContain("trimmed 1.1");
  });

  it("is not called gone when it never got to the inventory and its file is there", async () => {
    const world = createSimWorld("failed while it came");
    const before = await openStoreInWorld(world);
    const key = { chunkId: 1, generation: 1 };
    // The second sync of a write is that of its name.
    const disk = before.machine.disk;
    disk.data.onMove = () => (disk.failingSyncCount = 1);
    await expect(world.settle(writeChunk(before.store, 1, sampleBytes(900)), 10_000)).rejects.toThrow("disk");
    expect(before.store.has(key)).toBe(false);
    expect(await world.settle(before.process.disk.list("/data/chunks/00/00"), 1000)).toHaveLength(1);
    await expect(world.settle(before.store.trim(key, 7), 1000)).rejects.toMatchObject({ kind: "diskFailed" });
    expect(before.inventory.events).not.toContain("trimmed 1.1");
  });

  it("is moved away also when its name could not be made durable for want of room", async () => {
    const world = createSimWorld("no room while it came");
    const folders = new FailingFolders();
    const { store, inventory, process, machine } = await openStoreInWorld(
      world,
      {},
      { wrap: (disk) => folders.wrap(disk) },
    );
    const key = { chunkId: 1, generation: 1 };
    machine.disk.data.onMove = () => void folders.failures.set("/data/chunks", "full");
    await expect(world.settle(writeChunk(store, 1, sampleBytes(900)), 10_000)).rejects.toMatchObject({
      kind: "noSpace",
    });
    machine.disk.data.onMove = undefined;
    folders.failures.clear();
    expect(await world.settle(process.disk.list("/data/chunks/00/00"), 1000)).toHaveLength(1);
    await world.settle(store.trim(key, 7), 1000);
    expect(inventory.events).toEqual(["trimmed 1.1"]);
    expect(await world.settle(process.disk.list("/data/chunks/00/00"), 1000)).toEqual([]);
    expect(await world.settle(process.disk.list("/data/trash"), 1000)).toEqual(["7-0000000000000001.1"]);
  });

  it("is moved away also when it was damaged and could not be set aside", async () => {
    const world = createSimWorld("damaged on a full disk");
    const { store, inventory, process, machine } = await openStoreInWorld(world);
    const key = { chunkId: 1, generation: 1 };
    await world.settle(writeChunk(store, 1, sampleBytes(90_000)), 10_000);
    machine.disk.corrupt("/data/chunks/00/00/0000000000000001.1", 5);
    machine.disk.data.onMove = () => {
      throw new HoldfastError("noSpace", "no room for another name");
    };
    expect(await world.settle(store.verify(key), 1000)).toBe(false);
    machine.disk.data.onMove = undefined;
    expect(await world.settle(process.disk.list("/data/chunks/00/00"), 1000)).toHaveLength(1);
    await world.settle(store.trim(key, 7), 1000);
    expect(inventory.events).toEqual(["added 1.1", "corrupt 1.1", "trimmed 1.1"]);
    expect(await world.settle(process.disk.list("/data/chunks/00/00"), 1000)).toEqual([]);
  });
});
