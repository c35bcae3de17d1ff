import { describe, expect, test } from "vitest";
import type { DiskFile } from "../ports/disk.ts";
import { createSimWorld, type SimWorld } from "./sim-world.ts";

const seeds = Array.from({ length: 200 }, (_, index) => `power ${index}`);
const key = (byte: number): Uint8Array => new Uint8Array([byte]);

/** A little of everything, ended by a power cut. */
async function busyRun(seed: string): Promise<string> {
  const world = createSimWorld(seed);
  for (const name of ["a", "b", "c"]) {
    const process = world.machine(name).startProcess();
    const beat = async (): Promise<void> => {
      const file = await process.disk.open("/log", "openOrCreate");
      for (let round = 0; ; round++) {
        await file.write(process.random.bytes(100), round * 100);
        if (process.random.fraction() < 0.3) await file.syncData();
        await process.timers.sleep(process.random.fraction() * 10);
      }
    };
    beat().catch((error: unknown) => {
      throw error;
    });
  }
  await world.runFor(500);
  world.machine("b").powerCut();
  await world.runFor(500);
  return world.traceHash();
}

describe("a simulated world", () => {
  test("runs the same from the same seed, and differently from another", async () => {
    const first = await busyRun("1");
    expect(await busyRun("1")).toBe(first);
    expect(await busyRun("2")).not.toBe(first);
    expect(Number(first.split("-")[0])).toBeGreaterThan(200);
  });

  test("takes items by time, equal ones in order of scheduling, and drains promises in between", async () => {
    const world = createSimWorld(1);
    const order: string[] = [];
    const note = (label: string, delayMs: number) =>
      world.scheduler.schedule(delayMs, label, () => {
        order.push(label);
        let chain = Promise.resolve();
        for (let link = 0; link < 50; link++) chain = chain.then(() => undefined);
        void chain.then(() => order.push(`${label} drained`));
      });
    note("c", 5);
    note("a", 1);
    note("b", 1);
    await world.runFor(10);
    expect(order).toEqual(["a", "a drained", "b", "b drained", "c", "c drained"]);
    expect(world.nowMs()).toBe(10);
  });

  test("the code of a crashed process never runs again", async () => {
    const world = createSimWorld(1);
    const process = world.machine("m").startProcess();
    let rounds = 0;
    const loop = async (): Promise<void> => {
      for (;;) {
        await process.timers.sleep(1);
        rounds++;
      }
    };
    void loop();
    await world.runFor(10.5);
    process.crash();
    await world.runFor(100);
    expect(rounds).toBe(10);
  });

  test("clocks of machines can be apart and run at other speeds", async () => {
    const world = createSimWorld(1);
    const fast = world.machine("fast");
    fast.clockRate = 2;
    fast.wallOffsetMs = -5000;
    const process = fast.startProcess();
    const exact = world.machine("exact").startProcess();
    let firedAtMs = 0;
    process.timers.after(100, () => {
      firedAtMs = world.nowMs();
    });
    await world.runFor(1000);
    expect(firedAtMs).toBe(50);
    expect(process.clock.monotonicMs()).toBe(2000);
    expect(process.clock.wallMs() - exact.clock.wallMs()).toBe(1000 - 5000);
  });
});

describe("a power cut", () => {
  const write = async (
    world: SimWorld,
    machine: string,
    steps: { isSynced: boolean; isNameSynced: boolean },
  ): Promise<void> => {
    const { disk } = world.machine(machine).startProcess();
    await disk.makeDirectory("/d");
    const file = await disk.open("/d/f", "create");
    await file.write(new Uint8Array(4000).fill(1), 0);
    if (steps.isSynced) await file.syncData();
    if (steps.isNameSynced) await disk.syncDirectory("/d");
    await file.write(new Uint8Array(4000).fill(2), 2000);
  };
  const after = async (world: SimWorld): Promise<Uint8Array | undefined> => {
    world.machine("m").powerCut();
    const { disk } = world.machine("m").startProcess();
    if ((await world.settle(disk.stat("/d/f"), 100)) === undefined) return undefined;
    return world.settle(disk.readFile("/d/f"), 100);
  };

  test("keeps what was synced, under a synced name, and loses all, some or none of the rest", async () => {
    const seen = new Set<string>();
    for (const seed of seeds) {
      const world = createSimWorld(seed);
      await world.settle(write(world, "m", { isSynced: true, isNameSynced: true }), 1000);
      const found = await after(world);
      expect(found?.subarray(0, 2000).every((byte) => byte === 1)).toBe(true);
      expect(found?.length).toBeGreaterThanOrEqual(4000);
      const newBytes = found?.filter((byte) => byte === 2).length ?? 0;
      seen.add(newBytes === 0 ? "none" : newBytes === 4000 ? "all" : "torn");
    }
    expect([...seen].sort()).toEqual(["all", "none", "torn"]);
  });

  test("may lose a name whose folder was not synced, and bytes that were not", async () => {
    const outcomes = { lost: 0, kept: 0, incomplete: 0 };
    for (const seed of seeds) {
      const world = createSimWorld(seed);
      await world.settle(write(world, "m", { isSynced: false, isNameSynced: false }), 1000);
      const found = await after(world);
      if (found === undefined) outcomes.lost++;
      else if (found.length < 6000) outcomes.incomplete++;
      else outcomes.kept++;
    }
    expect(outcomes.lost).toBeGreaterThan(20);
    expect(outcomes.kept).toBeGreaterThan(5);
    expect(outcomes.incomplete).toBeGreaterThan(20);
  });

  test("never loses a file by a rename, and shows the old or the new content under the target", async () => {
    for (const seed of seeds) {
      const world = createSimWorld(seed);
      const { disk } = world.machine("m").startProcess();
      const work = async (): Promise<void> => {
        for (const [path, byte] of [
          ["/new/f", 2],
          ["/d/f", 1],
        ] as const) {
          await disk.makeDirectory(path.slice(0, -2));
          const file = await disk.open(path, "create");
          await file.write(new Uint8Array(10).fill(byte), 0);
          await file.syncData();
          await disk.syncDirectory(path.slice(0, -2));
        }
        await disk.rename("/new/f", "/d/f");
        if (world.random.chance(0.5)) await disk.syncDirectory("/new");
      };
      await world.settle(work(), 1000);
      const found = await after(world);
      expect([1, 2]).toContain(found?.[0]);
      if (found?.[0] === 1) expect(world.machine("m").disk.data.stat("/new/f")).toMatchObject({ sizeBytes: 10 });
    }
  });

  test("takes whole batches off the end of a store, never a durable one", async () => {
    const kept = new Set<number>();
    for (const seed of seeds) {
      const world = createSimWorld(seed);
      const store = await world.machine("m").startProcess().openStore("/s");
      const batch = (byte: number) => [
        { key: key(byte), value: key(1) },
        { key: key(0), value: key(byte) },
      ];
      await world.settle(store.write(batch(1), { isDurable: true }), 100);
      for (let byte = 2; byte <= 5; byte++) await world.settle(store.write(batch(byte)), 100);
      world.machine("m").powerCut();
      const again = await world.machine("m").startProcess().openStore("/s");
      const last = again.get(key(0))?.[0] ?? 0;
      for (let byte = 1; byte <= 5; byte++) expect(again.get(key(byte)) !== undefined).toBe(byte <= last);
      kept.add(last);
    }
    expect([...kept].sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a crash of the process alone loses nothing that was written", async () => {
    const world = createSimWorld(1);
    const process = world.machine("m").startProcess();
    const store = await process.openStore("/s");
    await world.settle(store.write([{ key: key(1), value: key(1) }]), 100);
    await world.settle(write(world, "m", { isSynced: false, isNameSynced: false }), 1000);
    for (const running of world.machine("m").processes()) running.crash();
    const next = world.machine("m").startProcess();
    expect((await next.openStore("/s")).get(key(1))).toBeDefined();
    expect((await world.settle(next.disk.readFile("/d/f"), 100)).length).toBe(6000);
  });
});

/** Ten bytes are synced, the sync of ten more fails, something is done about it, power is cut: what is in the file then? */
async function afterFailedSync(seed: string, next: (file: DiskFile) => Promise<void>): Promise<readonly number[]> {
  const world = createSimWorld(seed);
  const machine = world.machine("m");
  const { disk } = machine.startProcess();
  const work = async (): Promise<void> => {
    const file = await disk.open("/f", "create");
    await disk.syncDirectory("/");
    await file.write(new Uint8Array(10).fill(1), 0);
    await file.syncData();
    await file.write(new Uint8Array(10).fill(2), 10);
    machine.disk.failingSyncCount = 1;
    await expect(file.syncData()).rejects.toMatchObject({ kind: "diskFailed" });
    await next(file);
  };
  await world.settle(work(), 1000);
  machine.powerCut();
  return [...(await world.settle(machine.startProcess().disk.readFile("/f"), 100))];
}

describe("disk faults", () => {
  const rewrite = (file: DiskFile): Promise<void> => file.write(new Uint8Array(10).fill(2), 10);

  test.each([
    ["is not durable whatever later syncs say", (file: DiskFile) => file.syncData(), [10, 20]],
    ["is not durable when it was only written anew", rewrite, [10, 20]],
    [
      "is durable once it was written anew and synced",
      (file: DiskFile) => rewrite(file).then(() => file.syncData()),
      [20],
    ],
  ] as const)("a failed sync is told, and what it covered %s", async (_name, next, sizes) => {
    const found = new Set<number>();
    for (const seed of seeds) {
      const bytes = await afterFailedSync(seed, next);
      expect(bytes.slice(0, 10), "what was synced before stays").toEqual(Array.from({ length: 10 }, () => 1));
      if (bytes.length === 10 || bytes.length === 20) found.add(bytes.length);
    }
    expect([...found].toSorted((left, right) => left - right)).toEqual(sizes);
  });

  test("full, failed and stalled disks say so or wait", async () => {
    const world = createSimWorld(3);
    const machine = world.machine("small", { capacityBytes: 1000 });
    const { disk } = machine.startProcess();
    const file = await world.settle(disk.open("/f", "create"), 100);
    await world.settle(file.write(new Uint8Array(900), 0), 100);
    await expect(world.settle(file.write(new Uint8Array(200), 900), 100)).rejects.toMatchObject({ kind: "noSpace" });
    expect((await world.settle(disk.space("/"), 100)).totalBytes).toBe(1000);
    machine.disk.stall();
    const waiting = file.syncData();
    await expect(world.settle(waiting, 10_000)).rejects.toThrow(/did not settle/);
    machine.disk.resume();
    await world.settle(waiting, 100);
    machine.disk.isFailed = true;
    await expect(world.settle(file.read(0, 1), 100)).rejects.toMatchObject({ kind: "diskFailed" });
  });
});
