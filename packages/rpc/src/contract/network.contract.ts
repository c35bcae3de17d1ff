import { create } from "@bufbuild/protobuf";
import { errorKinds, HoldfastError, type ErrorKind } from "@holdfast/base";
import {
  ChunkControlService,
  ChunkDataService,
  GetNodeStatusResponseSchema,
  ReadChunkRequestSchema,
  ReadChunkResponseSchema,
  StatChunkRequestSchema,
  StatChunkResponseSchema,
  WriteChunkRequestSchema,
  WriteChunkResponseSchema,
  type WriteChunkRequest,
} from "@holdfast/proto/chunk/v1/chunk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Listener, Network } from "../network.ts";
import { serve, type ServedService, type ServiceHandlers } from "../service.ts";

/** A version of the network under test: a server side, a client side, and a way to let time pass. */
export interface NetworkHarness {
  readonly server: Network;
  readonly client: Network;
  /** Where the server side may listen. */
  readonly listenAddress: string;
  /** Runs until the promise settles (the simulator advances its time). */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Resolves when the condition holds; fails after some seconds. */
  eventually(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

type DataHandlers = ServiceHandlers<typeof ChunkDataService>;
type ControlHandlers = ServiceHandlers<typeof ChunkControlService>;

const dataFrame = (bytes: Uint8Array): WriteChunkRequest => create(WriteChunkRequestSchema, { frame: { case: "data", value: bytes } });

/** Echoes: `writeChunk` answers each frame with its size as node id, `readChunk` sends `lengthBytes` frames of 1 KiB. */
const echoData: DataHandlers = {
  async *writeChunk(requests) {
    for await (const request of requests) {
      yield create(WriteChunkResponseSchema, { nodeId: request.frame.case === "data" ? request.frame.value.length : 0 });
    }
  },
  async *readChunk(request) {
    for (let index = 0; index < request.lengthBytes; index++) {
      yield create(ReadChunkResponseSchema, { data: new Uint8Array(1024).fill(index) });
    }
  },
};

const echoControl: ControlHandlers = {
  statChunk: async (request) => create(StatChunkResponseSchema, { isPresent: true, lengthBytes: request.generation }),
  getNodeStatus: async (_request, context) => create(GetNodeStatusResponseSchema, { nodeUuid: context.requestId }),
};

const served = (data: Partial<DataHandlers> = {}, control: Partial<ControlHandlers> = {}): readonly ServedService[] => [
  serve(ChunkDataService, { ...echoData, ...data }),
  serve(ChunkControlService, { ...echoControl, ...control }),
];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  const outcome: unknown = await promise.then(() => undefined, (error: unknown) => error);
  expect(outcome).toBeInstanceOf(HoldfastError);
  // The line above made sure.
  return outcome as HoldfastError;
}

/** What every version of the Network port promises. */
export function networkContract(name: string, start: () => Promise<NetworkHarness>): void {
  describe(`network contract: ${name}`, () => {
    let harness: NetworkHarness;
    let listener: Listener | undefined;
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(async () => {
      if (listener !== undefined) await harness.settle(listener.close());
      listener = undefined;
      await harness.stop();
    });
    const listen = async (services: readonly ServedService[], address = harness.listenAddress): Promise<string> => {
      listener = await harness.settle(harness.server.listen(address, services));
      return listener.address;
    };
    const control = (address: string) => harness.client.client(ChunkControlService, address);
    const data = (address: string) => harness.client.client(ChunkDataService, address);
    const stat = create(StatChunkRequestSchema, { generation: 7, chunkId: 9n });
    const read = (frames: number) => create(ReadChunkRequestSchema, { lengthBytes: frames });

    test("unary: the answer comes back, and the request id goes along", async () => {
      const address = await listen(served());
      expect((await harness.settle(control(address).statChunk(stat))).lengthBytes).toBe(7);
      const status = await harness.settle(control(address).getNodeStatus({ $typeName: "holdfast.chunk.v1.GetNodeStatusRequest" }, { requestId: "r-17" }));
      expect(status.nodeUuid).toBe("r-17");
    });

    test("server streaming: all messages in order, then the end", async () => {
      const address = await listen(served());
      const frames = await harness.settle(collect(data(address).readChunk(read(100))));
      expect(frames.map((frame) => frame.data[0])).toEqual(Array.from({ length: 100 }, (_, index) => index));
      expect(await harness.settle(collect(data(address).readChunk(read(0))))).toEqual([]);
    });

    test("bidi streaming: answers come while requests are still being made", async () => {
      const address = await listen(served());
      let answers = 0;
      async function* requests(): AsyncGenerator<WriteChunkRequest> {
        for (let size = 1; size <= 20; size++) {
          yield dataFrame(new Uint8Array(size));
          await harness.eventually(() => answers >= size - 1);
        }
      }
      const sizes: number[] = [];
      const run = async (): Promise<void> => {
        for await (const answer of data(address).writeChunk(requests())) {
          sizes.push(answer.nodeId);
          answers++;
        }
      };
      await harness.settle(run());
      expect(sizes).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    });

    test("nothing is shared between the sides", async () => {
      const seen: Uint8Array[] = [];
      const address = await listen(served({
        async *writeChunk(requests) {
          for await (const request of requests) {
            if (request.frame.case === "data") seen.push(request.frame.value);
            yield create(WriteChunkResponseSchema, {});
          }
        },
      }));
      const bytes = new Uint8Array([1, 2, 3]);
      async function* one(): AsyncGenerator<WriteChunkRequest> {
        yield dataFrame(bytes);
      }
      await harness.settle(collect(data(address).writeChunk(one())));
      bytes.fill(9);
      expect([...(seen[0] ?? [])]).toEqual([1, 2, 3]);
    });

    test.each(errorKinds.filter((kind) => kind !== "internal"))("an error of kind %s arrives as it was thrown", async (kind: ErrorKind) => {
      const thrown = new HoldfastError(kind, `because of ${kind} ü`, kind === "notLeader" ? { leaderAddress: "m2:7000" } : {});
      const address = await listen(served(
        {
          async *readChunk() {
            yield create(ReadChunkResponseSchema, { data: new Uint8Array(1) });
            throw thrown;
          },
        },
        { statChunk: () => Promise.reject(thrown) },
      ));
      const unary = await failure(harness.settle(control(address).statChunk(stat, { requestId: "q" })));
      expect({ kind: unary.kind, message: unary.message, leader: unary.leaderAddress, requestId: unary.requestId }).toEqual({
        kind, message: thrown.message, leader: thrown.leaderAddress, requestId: "q",
      });
      const streamed = await failure(harness.settle(collect(data(address).readChunk(read(1)))));
      expect({ kind: streamed.kind, message: streamed.message }).toEqual({ kind, message: thrown.message });
    });

    test("anything else that is thrown becomes internal and keeps its words to itself", async () => {
      const address = await listen(served({}, { statChunk: () => Promise.reject(new TypeError("the secret is 42")) }));
      const error = await failure(harness.settle(control(address).statChunk(stat)));
      expect(error.kind).toBe("internal");
      expect(error.message).toMatch(/incident [0-9a-f]{12}/);
      expect(error.message).not.toContain("42");
    });

    test("a caller that gives up aborts the handler", async () => {
      let isAborted = false;
      let isStarted = false;
      const address = await listen(served({}, {
        statChunk: (_request, context) =>
          new Promise((_resolve, reject) => {
            isStarted = true;
            context.signal.addEventListener("abort", () => {
              isAborted = true;
              reject(new HoldfastError("cancelled", "seen"));
            });
          }),
      }));
      const controller = new AbortController();
      const call = failure(control(address).statChunk(stat, { signal: controller.signal }));
      await harness.eventually(() => isStarted);
      controller.abort();
      expect((await harness.settle(call)).kind).toBe("cancelled");
      await harness.eventually(() => isAborted);
    });

    test("a call that was given up before it began never reaches the handler", async () => {
      let isStarted = false;
      const address = await listen(served({}, { statChunk: async () => { isStarted = true; return create(StatChunkResponseSchema, {}); } }));
      const error = await failure(harness.settle(control(address).statChunk(stat, { signal: AbortSignal.abort() })));
      expect(error.kind).toBe("cancelled");
      await harness.settle(control(address).getNodeStatus({ $typeName: "holdfast.chunk.v1.GetNodeStatusRequest" }));
      expect(isStarted).toBe(false);
    });

    test("leaving a stream of answers early aborts the handler", async () => {
      let isAborted = false;
      const address = await listen(served({
        async *readChunk(_request, context) {
          context.signal.addEventListener("abort", () => { isAborted = true; });
          for (;;) yield create(ReadChunkResponseSchema, { data: new Uint8Array(1024) });
        },
      }));
      const run = async (): Promise<void> => {
        for await (const frame of data(address).readChunk(read(1))) if (frame.data.length > 0) break;
      };
      await harness.settle(run());
      await harness.eventually(() => isAborted);
    });

    test("a deadline ends the call on both sides", async () => {
      let isAborted = false;
      const address = await listen(served({}, {
        statChunk: (_request, context) =>
          new Promise((_resolve, reject) => {
            context.signal.addEventListener("abort", () => {
              isAborted = true;
              reject(new HoldfastError("cancelled", "seen"));
            });
          }),
      }));
      expect((await failure(harness.settle(control(address).statChunk(stat, { timeoutMs: 100 })))).kind).toBe("deadline");
      await harness.eventually(() => isAborted);
    });

    test("a fast writer waits for a slow reader", async () => {
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => { release = resolve; });
      const address = await listen(served({
        async *writeChunk(requests) {
          await gate;
          let bytes = 0;
          for await (const request of requests) if (request.frame.case === "data") bytes += request.frame.value.length;
          yield create(WriteChunkResponseSchema, { nodeId: bytes });
        },
      }));
      const frameBytes = 256 * 1024;
      const frameCount = 400;
      let made = 0;
      async function* requests(): AsyncGenerator<WriteChunkRequest> {
        for (; made < frameCount; made++) yield dataFrame(new Uint8Array(frameBytes));
      }
      const call = collect(data(address).writeChunk(requests()));
      await harness.eventually(() => made > 2);
      // Idle until nothing more is taken, then it must be far from all.
      let before = -1;
      while (before !== made) {
        before = made;
        await harness.settle(control(address).statChunk(stat));
        await harness.settle(control(address).statChunk(stat));
      }
      expect(made * frameBytes).toBeLessThan(48 * 1024 * 1024);
      release();
      expect((await harness.settle(call))[0]?.nodeId).toBe(frameBytes * frameCount);
    });

    test("a fast handler waits for a slow caller", async () => {
      let made = 0;
      const frameBytes = 256 * 1024;
      const address = await listen(served({
        async *readChunk() {
          for (; made < 400; made++) yield create(ReadChunkResponseSchema, { data: new Uint8Array(frameBytes) });
        },
      }));
      const answers = data(address).readChunk(read(1))[Symbol.asyncIterator]();
      await harness.settle(answers.next());
      let before = -1;
      while (before !== made) {
        before = made;
        await harness.settle(control(address).statChunk(stat));
        await harness.settle(control(address).statChunk(stat));
      }
      expect(made * frameBytes).toBeLessThan(48 * 1024 * 1024);
      let count = 1;
      while ((await harness.settle(answers.next())).done !== true) count++;
      expect(count).toBe(400);
    });

    test("a message over the limit is refused with tooLarge on the way out and back", async () => {
      const tooLarge = new Uint8Array(16 * 1024 * 1024 + 1);
      const address = await listen(served({
        async *readChunk() {
          yield create(ReadChunkResponseSchema, { data: tooLarge });
        },
      }));
      async function* one(): AsyncGenerator<WriteChunkRequest> {
        yield dataFrame(tooLarge);
      }
      expect((await failure(harness.settle(collect(data(address).writeChunk(one()))))).kind).toBe("tooLarge");
      expect((await failure(harness.settle(collect(data(address).readChunk(read(1)))))).kind).toBe("tooLarge");
    });

    test("requests that end with an error end the call with it", async () => {
      const address = await listen(served());
      async function* broken(): AsyncGenerator<WriteChunkRequest> {
        yield dataFrame(new Uint8Array(1));
        throw new HoldfastError("checksumMismatch", "the source is damaged");
      }
      expect((await failure(harness.settle(collect(data(address).writeChunk(broken()))))).kind).toBe("checksumMismatch");
    });

    test("nobody listens: unavailable", async () => {
      const address = await listen(served());
      await harness.settle(listener?.close() ?? Promise.resolve());
      expect((await failure(harness.settle(control(address).statChunk(stat, { timeoutMs: 5000 })))).kind).toBe("unavailable");
    });

    test("a taken port is a precondition", async () => {
      const address = await listen(served());
      expect((await failure(harness.settle(harness.server.listen(address, served())))).kind).toBe("precondition");
    });

    test("a server that closes ends its calls with unavailable, and their handlers", async () => {
      let isAborted = false;
      let isStarted = false;
      const address = await listen(served({}, {
        statChunk: (_request, context) =>
          new Promise((_resolve, reject) => {
            isStarted = true;
            context.signal.addEventListener("abort", () => {
              isAborted = true;
              reject(new HoldfastError("cancelled", "seen"));
            });
          }),
      }));
      const call = failure(control(address).statChunk(stat));
      await harness.eventually(() => isStarted);
      await harness.settle(listener?.close(0) ?? Promise.resolve());
      expect((await harness.settle(call)).kind).toBe("unavailable");
      expect(isAborted).toBe(true);
    });

    test("after the server came back, calls work again", async () => {
      const address = await listen(served());
      const client = control(address);
      await harness.settle(client.statChunk(stat));
      await harness.settle(listener?.close() ?? Promise.resolve());
      expect((await failure(harness.settle(client.statChunk(stat, { timeoutMs: 5000 })))).kind).toBe("unavailable");
      await listen(served(), address);
      const again = async (): Promise<number> => {
        for (;;) {
          try {
            return (await client.statChunk(stat, { timeoutMs: 5000 })).lengthBytes;
          } catch (error) {
            expect((error as HoldfastError).kind).toBe("unavailable");
          }
        }
      };
      expect(await harness.settle(again())).toBe(7);
    });
  });
}
