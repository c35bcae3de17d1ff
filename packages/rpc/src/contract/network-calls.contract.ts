import { create } from "@bufbuild/protobuf";
import { errorKinds, HoldfastError, type ErrorKind } from "@holdfast/base";
import {
  GetNodeStatusRequestSchema,
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

/** All kinds of methods carry their messages and errors. */
export function networkCallsContract(start: () => Promise<NetworkHarness>): void {
  const { harness, listen, control, data } = networkUnderTest(start);

  test("unary: the answer comes back, and the request id goes along", async () => {
    const address = await listen(served());
    expect((await harness().settle(control(address).statChunk(stat))).lengthBytes).toBe(7);
    const status = await harness().settle(
      control(address).getNodeStatus(create(GetNodeStatusRequestSchema), { requestId: "r-17" }),
    );
    expect(status.nodeUuid).toBe("r-17");
  });

  test("server streaming: all messages in order, then the end", async () => {
    const address = await listen(served());
    const frames = await harness().settle(collect(data(address).readChunk(read(100))));
    expect(frames.map((frame) => frame.data[0])).toEqual(Array.from({ length: 100 }, (_, index) => index));
    // Not a Buffer, whose slice is a view.
    expect(frames.every((frame) => Object.getPrototypeOf(frame.data) === Uint8Array.prototype)).toBe(true);
    expect(await harness().settle(collect(data(address).readChunk(read(0))))).toEqual([]);
  });

  test("bidi streaming: answers come while requests are still being made", async () => {
    const address = await listen(served());
    let answers = 0;
    async function* requests(): AsyncGenerator<WriteChunkRequest> {
      for (let size = 1; size <= 20; size++) {
        yield dataFrame(new Uint8Array(size));
        await harness().eventually(() => answers >= size - 1);
      }
    }
    const sizes: number[] = [];
    const run = async (): Promise<void> => {
      for await (const answer of data(address).writeChunk(requests())) {
        sizes.push(answer.nodeId);
        answers++;
      }
    };
    await harness().settle(run());
    expect(sizes).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test("nothing is shared between the sides", async () => {
    const seen: Uint8Array[] = [];
    const address = await listen(
      served({
        async *writeChunk(requests) {
          for await (const request of requests) {
            if (request.frame.case === "data") seen.push(request.frame.value);
            yield create(WriteChunkResponseSchema, {});
          }
        },
      }),
    );
    const bytes = new Uint8Array([1, 2, 3]);
    async function* one(): AsyncGenerator<WriteChunkRequest> {
      yield dataFrame(bytes);
    }
    await harness().settle(collect(data(address).writeChunk(one())));
    bytes.fill(9);
    expect([...(seen[0] ?? [])]).toEqual([1, 2, 3]);
  });

  test.each(errorKinds.filter((kind) => kind !== "internal"))(
    "an error of kind %s arrives as it was thrown",
    async (kind: ErrorKind) => {
      const thrown = new HoldfastError(
        kind,
        `because of ${kind} ü`,
        kind === "notLeader" ? { leaderAddress: "m2:7000" } : {},
      );
      const address = await listen(
        served(
          {
            async *readChunk() {
              yield create(ReadChunkResponseSchema, { data: new Uint8Array(1) });
              throw thrown;
            },
          },
          { statChunk: () => Promise.reject(thrown) },
        ),
      );
      const unary = await failure(harness().settle(control(address).statChunk(stat, { requestId: "q" })));
      expect({
        kind: unary.kind,
        message: unary.message,
        leader: unary.leaderAddress,
        requestId: unary.requestId,
      }).toEqual({
        kind,
        message: thrown.message,
        leader: thrown.leaderAddress,
        requestId: "q",
      });
      const streamed = await failure(harness().settle(collect(data(address).readChunk(read(1)))));
      expect({ kind: streamed.kind, message: streamed.message }).toEqual({ kind, message: thrown.message });
    },
  );

  test("anything else that is thrown becomes internal and keeps its words to itself", async () => {
    const address = await listen(
      served({}, { statChunk: () => Promise.reject(new TypeError("the secret word is swordfish")) }),
    );
    const error = await failure(harness().settle(control(address).statChunk(stat)));
    expect(error.kind).toBe("internal");
    expect(error.message).toMatch(/incident [0-9a-f]{12}/);
    // A word that no incident id can spell: they are hexadecimal and random.
    expect(error.message).not.toContain("swordfish");
  });

  test("requests that end with an error end the call with it", async () => {
    const address = await listen(served());
    async function* broken(): AsyncGenerator<WriteChunkRequest> {
      yield dataFrame(new Uint8Array(1));
      throw new HoldfastError("checksumMismatch", "the source is damaged");
    }
    expect((await failure(harness().settle(collect(data(address).writeChunk(broken()))))).kind).toBe(
      "checksumMismatch",
    );
  });
}
