import { HoldfastError } from "@holdfast/base";
import { createRecordingLogger } from "@holdfast/observability";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, test } from "vitest";
import { ControllerRunner } from "./controller.ts";
import { planGarbage } from "./garbage/plan.ts";

describe("ControllerRunner", () => {
  function runnerOf(step: (isLeading: () => boolean) => Promise<void>): {
    runner: ControllerRunner;
    world: ReturnType<typeof createSimWorld>;
    logger: ReturnType<typeof createRecordingLogger>;
  } {
    const world = createSimWorld(1);
    const logger = createRecordingLogger();
    const { timers } = world.machine("m").startProcess();
    const runner = new ControllerRunner({ controllers: [{ name: "test", intervalMs: 100, step }], timers, logger });
    return { runner, world, logger };
  }

  test("steps begin at once, never overlap, and pause between end and start", async () => {
    let running = 0;
    const starts: number[] = [];
    const { runner, world } = runnerOf(async () => {
      running += 1;
      expect(running).toBe(1);
      starts.push(world.nowMs());
      await world.machine("m").startProcess().timers.sleep(250);
      running -= 1;
    });
    runner.start();
    await world.runFor(1000);
    expect(starts).toEqual([0, 350, 700]);
  });

  test("a refused step is logged and tried again; the end of leadership stops all steps and is told to the one under way", async () => {
    let stepCount = 0;
    const seen: boolean[] = [];
    const { runner, world, logger } = runnerOf(async (isLeading) => {
      stepCount += 1;
      if (stepCount === 1) throw new HoldfastError("tooBusy", "busy");
      await world.machine("m").startProcess().timers.sleep(500);
      seen.push(isLeading());
    });
    runner.start();
    await world.runFor(300);
    expect(stepCount).toBe(2);
    expect(logger.records.map((record) => record.event)).toEqual(["controller.step_failed"]);
    runner.stop();
    await world.runFor(2000);
    expect([stepCount, seen]).toEqual([2, [false]]);
    runner.start();
    await world.runFor(10);
    expect(stepCount).toBe(3);
  });
});

describe("planGarbage", () => {
  test("released chunks come first, granted ones only after their time, and a batch is bounded", () => {
    const granted = [
      { chunkId: 7, expiresAtMs: 100 },
      { chunkId: 8, expiresAtMs: 101 },
    ];
    const view = { garbageChunkIds: [3, 4], granted, nowMs: 100, chunksMax: 10 };
    expect(planGarbage(view)).toEqual([3, 4, 7]);
    expect(planGarbage({ ...view, chunksMax: 2 })).toEqual([3, 4]);
    expect(planGarbage({ ...view, nowMs: 99 })).toEqual([3, 4]);
  });
});
