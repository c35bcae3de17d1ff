import { create } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
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
import { afterEach, beforeEach, expect } from "vitest";
import type { Listener, Network } from "../network.ts";
import { serve, type ServedService, type ServiceClient, type ServiceHandlers } from "../service.ts";

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

/** Handlers of the service that moves bytes. */
export type DataHandlers = ServiceHandlers<typeof ChunkDataService>;
/** Handlers of the service that answers small questions. */
export type ControlHandlers = ServiceHandlers<typeof ChunkControlService>;

/** A frame of data. */
export const dataFrame = (bytes: Uint8Array): WriteChunkRequest =>
  create(WriteChunkRequestSchema, { frame: { case: "data", value: bytes } });

/** Echoes: `writeChunk` answers each frame with its size as node id, `readChunk` sends `lengthBytes` frames of 1 KiB. */
const echoData: DataHandlers = {
  async *writeChunk(requests) {
    for await (const request of requests) {
      yield create(WriteChunkResponseSchema, {
        nodeId: request.frame.case === "data" ? request.frame.value.length : 0,
      });
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

/** Both services, with some of their methods replaced. */
export const served = (
  data: Partial<DataHandlers> = {},
  control: Partial<ControlHandlers> = {},
): readonly ServedService[] => [
  serve(ChunkDataService, { ...echoData, ...data }),
  serve(ChunkControlService, { ...echoControl, ...control }),
];

/** All items of a stream. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The error that a call must end with. */
export async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HoldfastError);
  // The line above made sure.
  return outcome as HoldfastError;
}

/** What the suites use: the harness, started and stopped around each test, and clients and servers on it. */
export interface NetworkUnderTest {
  harness(): NetworkHarness;
  listen(services: readonly ServedService[], address?: string): Promise<string>;
  closeListener(graceMs?: number): Promise<void>;
  control(address: string): ServiceClient<typeof ChunkControlService>;
  data(address: string): ServiceClient<typeof ChunkDataService>;
}

/** Registers the hooks of a suite. */
export function networkUnderTest(start: () => Promise<NetworkHarness>): NetworkUnderTest {
  let current: NetworkHarness | undefined;
  let listener: Listener | undefined;
  const harness = (): NetworkHarness => must(current, "a harness was started before each test");
  const closeListener = async (graceMs?: number): Promise<void> => {
    const open = listener;
    listener = undefined;
    if (open !== undefined) await harness().settle(open.close(graceMs));
  };
  beforeEach(async () => {
    current = await start();
  });
  afterEach(async () => {
    await closeListener();
    await harness().stop();
  });
  return {
    harness,
    closeListener,
    listen: async (services, address = harness().listenAddress) => {
      listener = await harness().settle(harness().server.listen(address, services));
      return listener.address;
    },
    control: (address) => harness().client.client(ChunkControlService, address),
    data: (address) => harness().client.client(ChunkDataService, address),
  };
}

/** A question. */
export const stat = create(StatChunkRequestSchema, { generation: 7, chunkId: 9n });
/** A wish for so many frames. */
export const read = (frames: number) => create(ReadChunkRequestSchema, { lengthBytes: frames });
