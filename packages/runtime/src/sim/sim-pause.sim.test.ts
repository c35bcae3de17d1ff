import { describe, expect, test } from "vitest";
import { createSimWorld } from "./sim-world.ts";

describe("a paused process", () => {
  test("runs nothing until it goes on, and then everything in order; what the disk had begun is done meanwhile", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const process = machine.startProcess();
    const seen: string[] = [];
    const file = await world.settle(process.disk.open("/f", "create"), 100);
    process.timers.after(10, () => seen.push("timer"));
    process.timers.after(20, () => seen.push("cancelled")).cancel();
    void file.write(new Uint8Array(5), 0).then(() => seen.push("written"));
    machine.pause();
    await world.runFor(1000);
    expect(seen).toEqual([]);
    expect(machine.disk.data.file("/f").sizeBytes).toBe(5);
    expect(process.clock.monotonicMs()).toBeGreaterThan(1000);
    machine.resume();
    await world.runFor(1);
    expect(seen).toEqual(["written", "timer"]);
  });

  test("that is killed runs nothing any more", async () => {
    const world = createSimWorld(2);
    const process = world.machine("m").startProcess();
    let ran = false;
    process.timers.after(10, () => (ran = true));
    process.pause();
    await world.runFor(50);
    process.crash();
    process.resume();
    await world.runFor(50);
    expect(ran).toBe(false);
  });
});

describe("a shared disk", () => {
  test("moves the bytes of two writers one after the other", async () => {
    const timeOf = async (writers: number): Promise<number> => {
      const world = createSimWorld(3);
      const process = world.machine("m", { perMiBMs: 100 }).startProcess();
      const files = await Promise.all(
        Array.from({ length: writers }, (_, index) => world.settle(process.disk.open(`/f${index}`, "create"), 100)),
      );
      const startMs = world.nowMs();
      await world.settle(Promise.all(files.map((file) => file.write(new Uint8Array(1 << 20), 0))), 10_000);
      return world.nowMs() - startMs;
    };
    expect(await timeOf(1)).toBeLessThan(110);
    expect(await timeOf(4)).toBeGreaterThan(390);
  });

  test("that somebody else fills up takes no more, and says what is free", async () => {
    const world = createSimWorld(4);
    const machine = world.machine("m", { capacityBytes: 1000 });
    const { disk } = machine.startProcess();
    machine.disk.foreignBytes = 990;
    const file = await world.settle(disk.open("/f", "create"), 100);
    await expect(world.settle(file.write(new Uint8Array(20), 0), 100)).rejects.toMatchObject({ kind: "noSpace" });
    machine.disk.foreignBytes = 0;
    await world.settle(file.write(new Uint8Array(20), 0), 100);
    expect((await world.settle(disk.space("/"), 100)).freeBytes).toBe(980);
  });
});
