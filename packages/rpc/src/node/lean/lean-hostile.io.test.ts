import { connect, createServer, type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import { connect as connectTcp, createServer as createTcp, type AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes, HoldfastError } from "@holdfast/base";
import { createMetrics, createRecordingLogger } from "@holdfast/observability";
import { ChunkControlService, StatChunkRequestSchema, StatChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { codeByKind, grpcStatus } from "../../errors/code-table.ts";
import type { Listener, Network } from "../../network.ts";
import { serve } from "../../service.ts";
import { createGrpcNetwork } from "../grpc-network.ts";
import { frameMessage } from "./message-frames.ts";

const path = "/holdfast.chunk.v1.ChunkControlService/StatChunk";
const request = frameMessage([toBinary(StatChunkRequestSchema, create(StatChunkRequestSchema, { chunkId: 1n }))]);
const answer = frameMessage([toBinary(StatChunkResponseSchema, create(StatChunkResponseSchema, { isPresent: true }))]);

let network: Network;
const logger = createRecordingLogger();
beforeEach(() => {
  const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
  network = createGrpcNetwork({ ...ports, logger, metrics: createMetrics(), leanFor: "everything" });
});
afterEach(() => network.close());

describe("a lean server", () => {
  let listener: Listener;
  let session: ClientHttp2Session;
  let answered = 0;
  beforeEach(async () => {
    answered = 0;
    listener = await network.listen("127.0.0.1:0", [
      serve(ChunkControlService, {
        statChunk: async () => {
          answered++;
          return create(StatChunkResponseSchema, {});
        },
        getNodeStatus: () => Promise.reject(new HoldfastError("internal", "not asked for here")),
      }),
    ]);
    session = connect(`http://${listener.address}`);
    session.on("error", () => undefined);
  });
  afterEach(async () => {
    session.destroy();
    await listener.close();
  });

  /** Sends raw bytes as one call; the status that came back, and how many bytes. */
  const call = (pieces: readonly Uint8Array[], callPath = path): Promise<{ status: string; bytes: number }> =>
    new Promise((resolve) => {
      const stream = session.request({ ":method": "POST", ":path": callPath, "content-type": "application/grpc" });
      let status = "none";
      let bytes = 0;
      stream.on("response", (headers) => (status = String(headers["grpc-status"] ?? status)));
      stream.on("trailers", (headers) => (status = String(headers["grpc-status"] ?? status)));
      stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
      stream.on("error", () => undefined);
      stream.on("close", () => resolve({ status, bytes }));
      stream.end(concatBytes(pieces));
    });

  test("answers a plain call of whatever client", async () => {
    expect(await call(request)).toEqual({ status: "0", bytes: 5 });
  });

  const invalid = String(codeByKind.invalidArgument.status);
  test.each([
    ["no message", [], invalid],
    ["half a message", [new Uint8Array([0, 0, 0, 0, 9, 1])], invalid],
    ["bytes that are not the message", [new Uint8Array([0, 0, 0, 0, 2, 255, 255])], invalid],
    ["a compressed message", [new Uint8Array([1, 0, 0, 0, 1, 0])], String(codeByKind.precondition.status)],
    ["a message of 4 GiB", [new Uint8Array([0, 255, 255, 255, 255])], String(codeByKind.tooLarge.status)],
  ] as const)("refuses %s and serves on", async (_name, pieces, status) => {
    expect((await call(pieces)).status).toBe(status);
    expect(answered).toBe(0);
    expect((await call(request)).status).toBe("0");
  });

  test("says that it does not know other methods", async () => {
    expect((await call(request, "/x.Y/Z")).status).toBe(String(grpcStatus.unimplemented));
    expect((await call(request, "/")).status).toBe(String(grpcStatus.unimplemented));
  });

  test("survives garbage and a connection that breaks in the middle of a call", async () => {
    const [host, port] = listener.address.split(":");
    for (const bytes of [
      "GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
      "\0",
    ]) {
      const socket = connectTcp(Number(port), host);
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(bytes, "latin1");
      socket.end();
      await new Promise((resolve) => void socket.on("close", resolve));
    }
    const breaking = session.request({ ":method": "POST", ":path": path });
    breaking.on("error", () => undefined);
    breaking.write(new Uint8Array([0, 0, 0, 1]));
    await new Promise((resolve) => void session.ping(resolve));
    session.destroy();
    const client = network.client(ChunkControlService, listener.address);
    await client.statChunk(create(StatChunkRequestSchema));
    expect(answered).toBe(1);
    expect(logger.records.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a lean client", () => {
  /** Answers its calls as it is told. */
  const against = async (respond: (stream: ServerHttp2Stream) => void): Promise<HoldfastError | undefined> => {
    const server = createServer();
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.on("error", () => undefined);
      respond(stream);
    });
    server.on("sessionError", () => undefined);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    // A TCP server that listens has an address of this shape.
    const { port } = server.address() as AddressInfo;
    const client = network.client(ChunkControlService, `127.0.0.1:${port}`);
    const outcome: unknown = await client.statChunk(create(StatChunkRequestSchema), { timeoutMs: 2000 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await network.close();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    // The contract says that nothing else is thrown; the tests compare kinds.
    return outcome as HoldfastError | undefined;
  };
  const headers = { ":status": 200, "content-type": "application/grpc" };
  const respondWith = (
    stream: ServerHttp2Stream,
    pieces: readonly Uint8Array[],
    trailers: Record<string, string>,
  ): void => {
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(concatBytes(pieces));
  };

  test.each([
    ["a good answer", (stream: ServerHttp2Stream) => respondWith(stream, answer, { "grpc-status": "0" }), undefined],
    ["no message", (stream: ServerHttp2Stream) => respondWith(stream, [], { "grpc-status": "0" }), "unavailable"],
    [
      "two messages",
      (stream: ServerHttp2Stream) => respondWith(stream, [...answer, ...answer], { "grpc-status": "0" }),
      "unavailable",
    ],
    ["no status", (stream: ServerHttp2Stream) => respondWith(stream, answer, {}), "unavailable"],
    [
      "a message that is not one",
      (stream: ServerHttp2Stream) =>
        respondWith(stream, [new Uint8Array([0, 0, 0, 0, 1, 255])], { "grpc-status": "0" }),
      "unavailable",
    ],
    [
      "a message over the limit",
      (stream: ServerHttp2Stream) => respondWith(stream, [new Uint8Array([0, 255, 0, 0, 0])], { "grpc-status": "0" }),
      "tooLarge",
    ],
    [
      "a status without detail",
      (stream: ServerHttp2Stream) => respondWith(stream, [], { "grpc-status": "4" }),
      "deadline",
    ],
    [
      "a page of a web server",
      (stream: ServerHttp2Stream) => {
        stream.respond({ ":status": 404 });
        stream.end("not here");
      },
      "unavailable",
    ],
    ["a reset stream", (stream: ServerHttp2Stream) => stream.close(2), "unavailable"],
    ["a broken connection", (stream: ServerHttp2Stream) => stream.session?.destroy(), "unavailable"],
    ["silence", () => undefined, "deadline"],
  ] as const)("on %s ends as the caller expects", async (_name, respond, kind) => {
    expect((await against(respond))?.kind).toBe(kind);
  });

  test("a peer that is not HTTP/2 at all is unavailable", async () => {
    const server = createTcp((socket) => {
      socket.on("error", () => undefined);
      socket.resume();
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const client = network.client(ChunkControlService, `127.0.0.1:${port}`);
    await vi.waitFor(() =>
      expect(client.statChunk(create(StatChunkRequestSchema), { timeoutMs: 2000 })).rejects.toMatchObject({
        kind: "unavailable",
      }),
    );
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
});
