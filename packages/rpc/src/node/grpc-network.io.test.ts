import { connect, type Settings } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { createMetrics, createRecordingLogger, silentLogger } from "@holdfast/observability";
import { ChunkControlService, StatChunkRequestSchema, StatChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { expect, test, vi } from "vitest";
import { networkContract } from "../contract/network.contract.ts";
import type { Network } from "../network.ts";
import { serve } from "../service.ts";
import { createGrpcNetwork } from "./grpc-network.ts";

const ports = {
  clock: createNodeClock(),
  timers: createNodeTimers(),
  random: createNodeRandom(),
  logger: silentLogger,
};
type LeanFor = "everything" | "bulk" | "nothing";
const network = (leanFor: LeanFor, callsMax?: number): Network =>
  createGrpcNetwork({ ...ports, metrics: createMetrics(), leanFor, ...(callsMax === undefined ? {} : { callsMax }) });

/** Every pair of the two transports (they speak the same protocol, so each must understand the other), and what runs in production. */
const pairs: readonly (readonly [client: LeanFor, server: LeanFor])[] = [
  ["nothing", "nothing"],
  ["everything", "nothing"],
  ["nothing", "everything"],
  ["everything", "everything"],
  ["bulk", "bulk"],
];

for (const [clientSide, serverSide] of pairs) {
  networkContract(`lean for ${clientSide} to lean for ${serverSide}`, async () => {
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

test.each(["nothing", "everything"] as const)(
  "lean for %s: over the limit of calls, the rest is told tooBusy",
  async (leanFor) => {
    const both = network(leanFor, 2);
    let waiting = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const control = {
      statChunk: async () => {
        waiting++;
        await gate;
        return create(StatChunkResponseSchema, {});
      },
      getNodeStatus: () => Promise.reject(new HoldfastError("internal", "not asked for here")),
    };
    const listener = await both.listen("127.0.0.1:0", [serve(ChunkControlService, control)]);
    const client = both.client(ChunkControlService, listener.address);
    const running = [
      client.statChunk(create(StatChunkRequestSchema)),
      client.statChunk(create(StatChunkRequestSchema)),
    ];
    await vi.waitFor(() => expect(waiting).toBe(2));
    await expect(client.statChunk(create(StatChunkRequestSchema))).rejects.toMatchObject({ kind: "tooBusy" });
    release();
    await Promise.all(running);
    await client.statChunk(create(StatChunkRequestSchema));
    await both.close();
    await listener.close();
  },
);

test("a grpc-js server's receiving windows are raised", async () => {
  const logger = createRecordingLogger();
  const server = createGrpcNetwork({ ...ports, logger, metrics: createMetrics(), leanFor: "nothing" });
  const listener = await server.listen("127.0.0.1:0", []);
  const session = connect(`http://${listener.address}`);
  const settings = await new Promise<Settings>((resolve) => {
    session.on("remoteSettings", (received) => {
      if (received.initialWindowSize !== 65_535) resolve(received);
    });
  });
  expect(settings).toMatchObject({ initialWindowSize: 8 * 1024 * 1024, maxFrameSize: 1024 * 1024 });
  expect(logger.records.map(({ event }) => event)).not.toContain("rpc.server_windows_not_raised");
  session.destroy();
  await listener.close();
});
