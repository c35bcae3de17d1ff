import { clockTimersContract } from "../contract/clock-timers.contract.ts";
import { diskContract } from "../contract/disk.contract.ts";
import { keyValueStoreContract } from "../contract/key-value-store.contract.ts";
import { MemoryStoreData } from "./memory-store.ts";
import { createSimWorld, type SimWorld } from "./sim-world.ts";

/** Turns a world while a test awaits its ports. */
function turning(world: SimWorld): () => Promise<void> {
  let isRunning = true;
  const turn = async (): Promise<void> => {
    while (isRunning) if (!(await world.scheduler.step())) await new Promise((resolve) => void setImmediate(resolve));
  };
  const turned = turn();
  return async () => {
    isRunning = false;
    await turned;
  };
}

diskContract("simulated", async () => {
  const world = createSimWorld("disk contract");
  const process = world.machine("m1").startProcess();
  const stop = turning(world);
  await process.disk.makeDirectory("/data");
  return { disk: process.disk, folder: "/data", stop };
});

keyValueStoreContract("memory", async () => {
  const data = new MemoryStoreData();
  let current = data.open();
  return {
    store: current,
    reopen: async () => {
      await current.close();
      current = data.open();
      return current;
    },
    stop: () => current.close(),
  };
});

clockTimersContract("simulated", async () => {
  const world = createSimWorld("clock contract");
  const process = world.machine("m1").startProcess();
  return {
    clock: process.clock,
    timers: process.timers,
    settle: (promise) => world.settle(promise, 10_000_000),
    stop: async () => undefined,
  };
});
