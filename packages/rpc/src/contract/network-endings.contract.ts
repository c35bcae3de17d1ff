import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  GetNodeStatusRequestSchema,
  ReadChunkResponseSchema,
  StatChunkResponseSchema,
} from "@holdfast/proto/chunk/v1/chunk";
import { expect, test } from "vitest";
import { failure, networkUnderTest, read, served, stat, type NetworkHarness } from "./network-harness.ts";

/** Calls end on both sides: given up, out of time, server gone, back again. */
export function networkEndingsContract(start: () => Promise<NetworkHarness>): void {
  const { harness, listen, closeListener, control, data } = networkUnderTest(start);

  test("a caller that gives up aborts the handler", async () => {
    let isAborted = false;
    let isStarted = false;
    const address = await listen(
      served(
        {},
        {
          statChunk: (_request, context) =>
            new Promise((_resolve, reject) => {
              isStarted = true;
              context.signal.addEventListener("abort", () => {
                isAborted = true;
                reject(new HoldfastError("cancelled", "seen"));
              });
            }),
        },
      ),
    );
    const controller = new AbortController();
    const call = failure(control(address).statChunk(stat, { signal: controller.signal }));
    await harness().eventually(() => isStarted);
    controller.abort();
    expect((await harness().settle(call)).kind).toBe("cancelled");
    await harness().eventually(() => isAborted);
  });

  test("a call that was given up before it began never reaches the handler", async () => {
    let isStarted = false;
    const address = await listen(
      served(
        {},
        {
          statChunk: async () => {
            isStarted = true;
            return create(StatChunkResponseSchema, {});
          },
        },
      ),
    );
    const error = await failure(harness().settle(control(address).statChunk(stat, { signal: AbortSignal.abort() })));
    expect(error.kind).toBe("cancelled");
    await harness().settle(control(address).getNodeStatus(create(GetNodeStatusRequestSchema)));
    expect(isStarted).toBe(false);
  });

  test("leaving a stream of answers early aborts the handler", async () => {
    let isAborted = false;
    const address = await listen(
      served({
        async *readChunk(_request, context) {
          context.signal.addEventListener("abort", () => {
            isAborted = true;
          });
          for (;;) yield create(ReadChunkResponseSchema, { data: new Uint8Array(1024) });
        },
      }),
    );
    const run = async (): Promise<void> => {
      for await (const frame of data(address).readChunk(read(1))) if (frame.data.length > 0) break;
    };
    await harness().settle(run());
    await harness().eventually(() => isAborted);
  });

  test("a deadline ends the call on both sides", async () => {
    let isAborted = false;
    const address = await listen(
      served(
        {},
        {
          statChunk: (_request, context) =>
            new Promise((_resolve, reject) => {
              context.signal.addEventListener("abort", () => {
                isAborted = true;
                reject(new HoldfastError("cancelled", "seen"));
              });
            }),
        },
      ),
    );
    expect((await failure(harness().settle(control(address).statChunk(stat, { timeoutMs: 100 })))).kind).toBe(
      "deadline",
    );
    await harness().eventually(() => isAborted);
  });

  test("nobody listens: unavailable", async () => {
    const address = await listen(served());
    await closeListener();
    expect((await failure(harness().settle(control(address).statChunk(stat, { timeoutMs: 5000 })))).kind).toBe(
      "unavailable",
    );
  });

  test("a taken port is a precondition", async () => {
    const address = await listen(served());
    expect((await failure(harness().settle(harness().server.listen(address, served())))).kind).toBe("precondition");
  });

  test("a server that closes ends its calls with unavailable, and their handlers", async () => {
    let isAborted = false;
    let isStarted = false;
    const address = await listen(
      served(
        {},
        {
          statChunk: (_request, context) =>
            new Promise((_resolve, reject) => {
              isStarted = true;
              context.signal.addEventListener("abort", () => {
                isAborted = true;
                reject(new HoldfastError("cancelled", "seen"));
              });
            }),
        },
      ),
    );
    const call = failure(control(address).statChunk(stat));
    await harness().eventually(() => isStarted);
    await closeListener(0);
    expect((await harness().settle(call)).kind).toBe("unavailable");
    expect(isAborted).toBe(true);
  });

  test("after the server came back, calls work again", async () => {
    const address = await listen(served());
    const client = control(address);
    await harness().settle(client.statChunk(stat));
    await closeListener();
    expect((await failure(harness().settle(client.statChunk(stat, { timeoutMs: 5000 })))).kind).toBe("unavailable");
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
    expect(await harness().settle(again())).toBe(7);
  });
}
