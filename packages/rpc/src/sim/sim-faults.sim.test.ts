import { create } from "@bufbuild/protobuf";
import {
  ChunkDataService,
  ReadChunkRequestSchema,
  ReadChunkResponseSchema,
  WriteChunkRequestSchema,
  WriteChunkResponseSchema,
  type WriteChunkRequest,
} from "@holdfast/proto/chunk/v1/chunk";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, test } from "vitest";
import { serve } from "../service.ts";
import { createSimNetwork } from "./sim-network.ts";

/** A server that echoes numbers, a client that sends one every 10 ms; each side notes how its stream ended. */
async function startStream(seed: string) {
  const world = createSimWorld(seed);
  const hub = createSimNetwork(world);
  const server = world.machine("server").startProcess();
  const client = world.machine("client").startProcess();
  const ends: string[] = [];
  const answers: number[] = [];
  await hub.forProcess(server).listen("server:1", [
    serve(ChunkDataService, {
      async *writeChunk(requests, context) {
        context.signal.addEventListener("abort", () => ends.push("server aborted"));
        for await (const request of requests) {
          yield create(WriteChunkResponseSchema, {
            nodeId: request.frame.case === "data" ? (request.frame.value[0] ?? 0) : 0,
          });
        }
      },
      async *readChunk() {
        yield create(ReadChunkResponseSchema, {});
      },
    }),
  ]);
  async function* requests(): AsyncGenerator<WriteChunkRequest> {
    for (let number = 0; ; number++) {
      yield create(WriteChunkRequestSchema, { frame: { case: "data", value: new Uint8Array([number % 256]) } });
      await client.timers.sleep(10);
    }
  }
  const api = hub.forProcess(client).client(ChunkDataService, "server:1");
  const run = async (): Promise<void> => {
    for await (const answer of api.writeChunk(requests())) answers.push(answer.nodeId);
  };
  run().then(
    () => ends.push("client ended"),
    (error: unknown) => ends.push(`client ${(error as { kind: string }).kind}`),
  );
  await world.runFor(100);
  expect(answers.length).toBeGreaterThan(5);
  return { world, hub, server, client, ends, answers, api };
}

const inOrder = (answers: readonly number[]): boolean => answers.every((answer, index) => answer === index % 256);

describe("faults of the simulated network", () => {
  test("a server that crashes ends its streams with unavailable; its handler never runs again", async () => {
    const { world, server, ends } = await startStream("server crash");
    server.crash();
    await world.runFor(100);
    expect(ends).toEqual(["client unavailable"]);
  });

  test("a client that crashes aborts the handler; its code never runs again", async () => {
    const { world, client, ends, answers } = await startStream("client crash");
    client.crash();
    const count = answers.length;
    await world.runFor(100);
    expect(ends).toEqual(["server aborted"]);
    expect(answers.length).toBe(count);
  });

  test("a short partition delays, loses nothing and keeps the order", async () => {
    const { world, hub, ends, answers } = await startStream("short");
    hub.partition(["server"], ["client"]);
    await world.runFor(50);
    const count = answers.length;
    await world.runFor(1000);
    expect(answers.length).toBe(count);
    hub.heal();
    await world.runFor(1000);
    expect(answers.length).toBeGreaterThan(count + 100);
    expect(inOrder(answers)).toBe(true);
    expect(ends).toEqual([]);
  });

  test("a long partition, also of one way only, breaks the stream for both", async () => {
    const { world, hub, ends } = await startStream("long");
    hub.block("server", "client");
    await world.runFor(6000);
    expect([...ends].sort()).toEqual(["client unavailable", "server aborted"]);
  });

  test("one way blocked: requests arrive, answers do not", async () => {
    const { world, hub, answers } = await startStream("one way");
    hub.block("server", "client");
    await world.runFor(20);
    const count = answers.length;
    await world.runFor(1000);
    expect(answers.length).toBe(count);
    hub.unblock("server", "client");
    await world.runFor(20);
    expect(answers.length).toBeGreaterThan(count + 90);
  });

  test("a call that begins in a partition ends with unavailable, or goes through when it heals", async () => {
    const { world, hub, api } = await startStream("begin");
    const read = async (): Promise<number> => {
      let count = 0;
      for await (const frame of api.readChunk(create(ReadChunkRequestSchema))) count += frame.data.length + 1;
      return count;
    };
    hub.partition(["server"], ["client"]);
    await expect(world.settle(read(), 10_000)).rejects.toMatchObject({ kind: "unavailable" });
    const waiting = read();
    await world.runFor(1000);
    hub.heal();
    expect(await world.settle(waiting, 100)).toBe(1);
  });

  test("a connection that breaks takes all its calls along", async () => {
    const { world, hub, ends } = await startStream("break");
    hub.setQuality("client", "server", { breakProbability: 1 });
    await world.runFor(100);
    expect([...ends].sort()).toEqual(["client unavailable", "server aborted"]);
  });

  test("runs the same from the same seed", async () => {
    const run = async (seed: string): Promise<string> => {
      const { world, hub } = await startStream(seed);
      hub.setDefaultQuality({ delayMs: [1, 30] });
      await world.runFor(1000);
      return world.traceHash();
    };
    expect(await run("1")).toBe(await run("1"));
    expect(await run("1")).not.toBe(await run("2"));
  });
});
