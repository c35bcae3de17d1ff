import { createMetrics, silentLogger } from "@holdfast/observability";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { expect, vi } from "vitest";
import { networkContract } from "../contract/network.contract.ts";
import type { Network } from "../network.ts";
import { createGrpcNetwork } from "./grpc-network.ts";

const ports = {
  clock: createNodeClock(),
  timers: createNodeTimers(),
  random: createNodeRandom(),
  logger: silentLogger,
};
type Transport = "lean" | "grpc-js";
const network = (bulkTransport: Transport): Network =>
  createGrpcNetwork({ ...ports, metrics: createMetrics(), bulkTransport });

// Every pair of the two transports: they speak the same protocol, so each must understand the other in both directions.
for (const serverSide of ["grpc-js", "lean"] as const) {
  for (const clientSide of ["grpc-js", "lean"] as const) {
    networkContract(`${clientSide} client, ${serverSide} server`, async () => {
      const server = network(serverSide);
      const client = network(clientSide);
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
  }
}
