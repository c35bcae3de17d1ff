import { createSimWorld } from "@holdfast/runtime/sim";
import { networkContract } from "../contract/network.contract.ts";
import { createSimNetwork } from "./sim-network.ts";

networkContract("simulated", async () => {
  const world = createSimWorld("network contract");
  const hub = createSimNetwork(world);
  const isRunning = { now: true };
  // The world turns by itself while the test awaits; the contract's promises settle as on a real network.
  const turn = async (): Promise<void> => {
    while (isRunning.now)
      if (!(await world.scheduler.step())) await new Promise((resolve) => void setImmediate(resolve));
  };
  const turning = turn();
  return {
    server: hub.forProcess(world.machine("server").startProcess()),
    client: hub.forProcess(world.machine("client").startProcess()),
    listenAddress: "server:0",
    settle: (promise) => promise,
    eventually: async (condition) => {
      for (let rounds = 0; !condition(); rounds++) {
        if (rounds > 100_000) throw new Error("the condition never held");
        await new Promise((resolve) => void setImmediate(resolve));
      }
    },
    stop: async () => {
      isRunning.now = false;
      await turning;
    },
  };
});
