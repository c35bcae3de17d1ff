import { silentLogger } from "@holdfast/observability";
import { createSimWorld } from "@holdfast/runtime/sim";
import type { SimProcess, SimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { FailingFolders } from "../testing/failing-folders.ts";
import { testLimits } from "../testing/store-in-world.ts";
import {
  describeChunkStore,
  readAll,
  RecordingInventory,
  sampleBytes,
  sha256Of,
  wholeOf,
  writeChunk,
} from "./chunk-store.contract.ts";
import type { ChunkStoreLimits } from "./file-chunk-store-options.ts";
import type { MultiDiskStore } from "./multi-disk-store.ts";
import { openMultiDiskStore } from "./open-multi-disk-store.ts";

/** A node with the disks /a and /b. */
class TwoDisks {
  readonly world: SimWorld = createSimWorld(5);
  readonly folders = new FailingFolders();
  process: SimProcess | undefined;
  inventory = new RecordingInventory();

  async open(limits: Partial<ChunkStoreLimits> = {}): Promise<MultiDiskStore> {
    this.process?.crash();
    this.process = this.world.machine("node").startProcess();
    this.inventory = new RecordingInventory();
    const { clock, timers, random } = this.process;
    return openMultiDiskStore({
      ...{ clock, timers, random, logger: silentLogger, disk: this.folders.wrap(this.process.disk) },
      ...{ dataDirectories: ["/a", "/b"], clusterId: () => "c1", listener: this.inventory },
      limits: { ...testLimits, ...limits },
    });
  }

  async until(condition: () => boolean): Promise<void> {
    for (let step = 0; !condition(); step++) {
      if (step > 100_000) throw new Error("the condition did not hold within 100 s");
      await this.process?.timers.sleep(1);
    }
  }

  run(body: (disks: TwoDisks) => Promise<void>): Promise<void> {
    return this.world.settle(body(this), 600_000);
  }
}

function stateOf(store: MultiDiskStore): Record<string, string> {
  return Object.fromEntries(store.status().disks.map(({ path, state }) => [path, state]));
}

/** How many of the chunks 1 to `count` can be read as they were written. */
async function readable(store: MultiDiskStore, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let chunkId = 1; chunkId <= count; chunkId++) {
    const bytes = sampleBytes(50_000, chunkId);
    const read = await readAll(store, wholeOf({ chunkId, generation: 1, lengthBytes: bytes.length })).catch(
      () => undefined,
    );
    if (read === undefined) continue;
    expect(read).toEqual(bytes);
    found.push(chunkId);
  }
  return found;
}

async function write(store: MultiDiskStore, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => writeChunk(store, index + 1, sampleBytes(50_000, index + 1))),
  );
}

async function onDisk(disks: TwoDisks, folder: string): Promise<number> {
  const names = await disks.process?.disk.list(`${folder}/chunks/00/00`).catch(() => []);
  return names?.length ?? 0;
}

describeChunkStore("MultiDiskStore", async (body) => {
  const disks = new TwoDisks();
  await disks.run(async () => {
    const store = await disks.open();
    await body({
      store,
      inventory: disks.inventory,
      damage: async ({ chunkId, generation }, offsetBytes) => {
        const name = `${chunkId.toString(16).padStart(16, "0")}.${generation}`;
        const isOnA = (await disks.process?.disk.stat(`/a/chunks/00/00/${name}`)) !== undefined;
        const folder = isOnA ? "/a" : "/b";
        disks.world.machine("node").disk.corrupt(`${folder}/chunks/00/00/${name}`, offsetBytes);
      },
    });
  });
});

describe("a node of two disks", () => {
  it("uses both, and finds all again after a restart", () =>
    new TwoDisks().run(async (disks) => {
      await write(await disks.open(), 20);
      expect(await onDisk(disks, "/a")).toBeGreaterThan(4);
      expect(await onDisk(disks, "/b")).toBeGreaterThan(4);
      const again = await disks.open();
      expect(again.status()).toMatchObject({ chunkCount: 20, usedBytes: 1_000_000, diskState: "ok" });
      expect(await readable(again, 20)).toHaveLength(20);
    }));

  it("keeps a chunk that two writers bring at once on one disk", () =>
    new TwoDisks().run(async (disks) => {
      const store = await disks.open();
      await Promise.all([1, 1, 1].map((chunkId) => writeChunk(store, chunkId, sampleBytes(50_000))));
      expect((await onDisk(disks, "/a")) + (await onDisk(disks, "/b"))).toBe(1);
    }));

  it("goes on when one fails to sync: loses nothing, moves its copies to the other and takes no more there", () =>
    new TwoDisks().run(async (disks) => {
      const store = await disks.open();
      await write(store, 20);
      disks.folders.failures.set("/b", "syncs");
      for (let chunkId = 21; stateOf(store)["/b"] === "ok"; chunkId++)
        await writeChunk(store, chunkId, sampleBytes(50_000, chunkId)).catch(() => undefined);
      const { chunkCount } = store.status();
      expect(store.status().diskState).toBe("ok");
      expect(await readable(store, 20)).toHaveLength(20);
      await disks.until(() => store.status().disks[1]?.usedBytes === 0);
      expect(store.status().chunkCount).toBe(chunkCount);
      expect(await readable(store, 20)).toHaveLength(20);
      expect(disks.inventory.events.filter((event) => !event.startsWith("added"))).toEqual([]);
      await writeChunk(store, 99, sampleBytes(1000));
    }));

  it("reports only the copies of a dead disk as lost, and serves the others", () =>
    new TwoDisks().run(async (disks) => {
      const store = await disks.open();
      await write(store, 20);
      const deadCount = await onDisk(disks, "/b");
      disks.folders.failures.set("/b", "all");
      await readable(store, 20);
      await disks.until(() => store.status().chunkCount === 20 - deadCount);
      expect(await readable(store, 20)).toHaveLength(20 - deadCount);
      const lost = disks.inventory.events.filter((event) => event.startsWith("corrupt"));
      expect(lost).toHaveLength(deadCount);
      expect(stateOf(store)).toEqual({ "/a": "ok", "/b": "failed" });
      const listed = store.bucketDigests().flatMap((_, bucket) => store.listBucket(bucket));
      expect(listed).toHaveLength(20 - deadCount);
    }));

  it("starts without a disk that is dead, and uses the one that replaces it", () =>
    new TwoDisks().run(async (disks) => {
      await write(await disks.open(), 20);
      const keptCount = await onDisk(disks, "/a");
      disks.folders.failures.set("/b", "all");
      const without = await disks.open();
      expect(without.status()).toMatchObject({ chunkCount: keptCount, diskState: "ok" });
      for (let chunkId = 1; chunkId <= 20; chunkId++)
        if (!without.has({ chunkId, generation: 1 })) await writeChunk(without, chunkId, sampleBytes(50_000, chunkId));
      disks.folders.failures.clear();
      for (const name of (await disks.process?.disk.list("/b/chunks/00/00")) ?? [])
        await disks.process?.disk.remove(`/b/chunks/00/00/${name}`);
      const replaced = await disks.open();
      expect(stateOf(replaced)).toEqual({ "/a": "ok", "/b": "ok" });
      expect(await readable(replaced, 20)).toHaveLength(20);
      await writeChunk(replaced, 50, sampleBytes(50_000));
      expect(await onDisk(disks, "/b")).toBe(1);
    }));

  it("counts a copy once that an old disk brings back, and trims it from both", () =>
    new TwoDisks().run(async (disks) => {
      await write(await disks.open(), 4);
      disks.folders.failures.set("/b", "all");
      const without = await disks.open();
      for (const chunkId of [1, 2, 3, 4])
        if (!without.has({ chunkId, generation: 1 })) await writeChunk(without, chunkId, sampleBytes(50_000, chunkId));
      disks.folders.failures.clear();
      const store = await disks.open();
      expect(store.status().chunkCount).toBe(4);
      for (const chunkId of [1, 2, 3, 4]) await store.trim({ chunkId, generation: 1 }, 1);
      expect(store.status().chunkCount).toBe(0);
      expect(disks.inventory.events.filter((event) => event.startsWith("trimmed"))).toHaveLength(4);
      expect((await disks.open()).status().chunkCount).toBe(0);
    }));

  it("keeps nothing of a copy that is ordered away while it is written, wherever it comes from", () =>
    new TwoDisks().run(async (disks) => {
      const store = await disks.open();
      const write = await store.beginWrite({ chunkId: 1, generation: 1, lengthBytes: 1000 });
      await write.append(sampleBytes(1000));
      await store.trim({ chunkId: 1, generation: 1 }, 3);
      await expect(write.commit(sha256Of(sampleBytes(1000)))).rejects.toMatchObject({ kind: "precondition" });
      expect(store.status()).toMatchObject({ chunkCount: 0, activeWriteCount: 0 });
    }));

  it("keeps serving from a failed disk what has no room elsewhere", () =>
    new TwoDisks().run(async (disks) => {
      const store = await disks.open({ capacityBytesMax: 700_000 });
      await write(store, 20);
      disks.folders.failures.set("/b", "syncs");
      for (let chunkId = 21; stateOf(store)["/b"] === "ok"; chunkId++)
        await writeChunk(store, chunkId, sampleBytes(1000)).catch(() => undefined);
      await disks.process?.timers.sleep(30_000);
      expect(await readable(store, 20)).toHaveLength(20);
      expect(store.status().disks[1]?.usedBytes).toBeGreaterThan(0);
    }));

  it("refuses to start when no disk works", () =>
    new TwoDisks().run(async (disks) => {
      disks.folders.failures.set("/", "all");
      await expect(disks.open()).rejects.toMatchObject({ kind: "diskFailed" });
    }));
});
