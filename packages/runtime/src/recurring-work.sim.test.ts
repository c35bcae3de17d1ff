import { expect, test } from "vitest";
import { RecurringWork } from "./recurring-work.ts";
import { createSimWorld } from "./sim/index.ts";

test("comes again, skips beats while it is at work, and stop waits for its end", async () => {
  const world = createSimWorld("recurring");
  const { timers } = world.machine("m").startProcess();
  const seen: string[] = [];
  const work = new RecurringWork(timers, 100, async () => {
    seen.push("begin");
    await timers.sleep(250);
    seen.push("end");
  });
  work.start();
  work.start();
  await world.runFor(99);
  expect(seen).toEqual([]);
  // Begins at 100 and 400; 200 and 300 find it at work.
  await world.runFor(351);
  expect(seen).toEqual(["begin", "end", "begin"]);
  await world.settle(work.stop(), 1000);
  expect(seen).toEqual(["begin", "end", "begin", "end"]);
  await world.runFor(1000);
  expect(seen).toHaveLength(4);
});
