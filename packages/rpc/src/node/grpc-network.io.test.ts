import { createMetrics, silentLogger } from "@holdfast/observability";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { expect, vi } from "vitest";
import { networkContract } from "../contract/network.contract.ts";
import type { Network } from "../network.ts";
import { createGrpcNetwork } from "./grpc-network.ts";

const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom(), logger: silentLogger };
const network = (): Network => createGrpcNetwork({ ...ports, metrics: createMetrics() });

networkContract("grpc-js", async () => {
  const server = network();
  const client = network();
  return {
    server,
    client,
    listenAddress: "127.0.0.1:0",
    settle: (promise) => promise,
    eventually: (condition) => vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 2 }),
    stop: async () => {
      await client.close();
      await server.close();
    },
  };
});
