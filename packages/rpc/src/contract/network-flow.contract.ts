import { create } from "@bufbuild/protobuf";
import {
  ReadChunkResponseSchema,
  WriteChunkResponseSchema,
  type WriteChunkRequest,
} from "@holdfast/proto/chunk/v1/chunk";
import { expect, test } from "vitest";
import {
  collect,
  dataFrame,
  failure,
  networkUnderTest,
  read,
  served,
  stat,
  type NetworkHarness,
} from "./network-harness.ts";

/** Nothing grows without bound. */
export function networkFlowContract(start: () => Promise<NetworkHarness>): void {
  const { harness, listen, control, data } = networkUnderTest(start);

  test("a fast writer waits for a slow reader", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const address = await listen(
      served({
        async *writeChunk(requests) {
          await gate;
          let bytes = 0;
          for await (const request of requests) if (request.frame.case === "data") bytes += request.frame.value.length;
          yield create(WriteChunkResponseSchema, { nodeId: bytes });
        },
      }),
    );
    const frameBytes = 256 * 1024;
    const frameCount = 400;
    let made = 0;
    async function* requests(): AsyncGenerator<WriteChunkRequest> {
      for (; made < frameCount; made++) yield dataFrame(new Uint8Array(frameBytes));
    }
    const call = collect(data(address).writeChunk(requests()));
    await harness().eventually(() => made > 2);
    // Idle until nothing more is taken, then it must be far from all.
    let before = -1;
    while (before !== made) {
      before = made;
      await harness().settle(control(address).statChunk(stat));
      await harness().settle(control(address).statChunk(stat));
    }
    expect(made * frameBytes).toBeLessThan(48 * 1024 * 1024);
    release();
    expect((await harness().settle(call))[0]?.nodeId).toBe(frameBytes * frameCount);
  });

  test("a fast handler waits for a slow caller", async () => {
    let made = 0;
    const frameBytes = 256 * 1024;
    const address = await listen(
      served({
        async *readChunk() {
          for (; made < 400; made++) yield create(ReadChunkResponseSchema, { data: new Uint8Array(frameBytes) });
        },
      }),
    );
    const answers = data(address).readChunk(read(1))[Symbol.asyncIterator]();
    await harness().settle(answers.next());
    let before = -1;
    while (before !== made) {
      before = made;
      await harness().settle(control(address).statChunk(stat));
      await harness().settle(control(address).statChunk(stat));
    }
    expect(made * frameBytes).toBeLessThan(48 * 1024 * 1024);
    let count = 1;
    while ((await harness().settle(answers.next())).done !== true) count++;
    expect(count).toBe(400);
  });

  test("a message over the limit is refused with tooLarge on the way out and back", async () => {
    const tooLarge = new Uint8Array(16 * 1024 * 1024 + 1);
    const address = await listen(
      served({
        async *readChunk() {
          yield create(ReadChunkResponseSchema, { data: tooLarge });
        },
      }),
    );
    async function* one(): AsyncGenerator<WriteChunkRequest> {
      yield dataFrame(tooLarge);
    }
    expect((await failure(harness().settle(collect(data(address).writeChunk(one()))))).kind).toBe("tooLarge");
    expect((await failure(harness().settle(collect(data(address).readChunk(read(1)))))).kind).toBe("tooLarge");
  });
}
