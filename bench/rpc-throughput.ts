/**
 * What the network costs alone: no disk, no hashes. Every node is a process of its own on loopback.
 *
 *   node bench/rpc-throughput.ts [--mib 512]
 *
 * Prints MB/s and core-seconds per GB (all processes) for: one hop up, one hop down, the forward chain over three
 * nodes (client -> a -> b -> c, acknowledged by all), and small writes per second, with grpc-js and with the lean
 * transport, in one run so that the ratio holds whatever else the machine does.
 */
import { create } from "@bufbuild/protobuf";
import { fork, type ChildProcess } from "node:child_process";
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
import { createMetrics, silentLogger } from "@holdfast/observability";
import { serve, type Network } from "@holdfast/rpc";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";

type Transport = "lean" | "grpc-js";
const frameBytes = Number(process.env.FRAME ?? 512) * 1024;
const chunkBytes = 4 * 1024 * 1024;
const chunksInFlight = 4;

function createNetwork(transport: Transport): Network {
  return createGrpcNetwork({
    clock: createNodeClock(),
    timers: createNodeTimers(),
    random: createNodeRandom(),
    logger: silentLogger,
    metrics: createMetrics(),
    leanFor: transport === "lean" ? "everything" : "nothing",
  });
}

/** A node that forwards what it gets to the node it was told of, and acknowledges. */
async function runNode(transport: Transport): Promise<void> {
  const network = createNetwork(transport);
  const block = Buffer.alloc(frameBytes, 7);
  const listener = await network.listen("127.0.0.1:0", [
    serve(ChunkDataService, {
      async *writeChunk(requests) {
        const iterator = requests[Symbol.asyncIterator]();
        const first = await iterator.next();
        const header = first.done === true || first.value.frame.case !== "header" ? undefined : first.value.frame.value;
        const [next, ...behind] = header?.forward ?? [];
        const rest = { [Symbol.asyncIterator]: () => iterator };
        if (next === undefined) {
          for await (const frame of rest) if (frame.frame.case === "trailer") break;
        } else {
          async function* forwarded(): AsyncGenerator<WriteChunkRequest> {
            yield create(WriteChunkRequestSchema, { frame: { case: "header", value: { forward: behind } } });
            yield* rest;
          }
          yield* network.client(ChunkDataService, next.address).writeChunk(forwarded());
        }
        yield create(WriteChunkResponseSchema, { nodeId: 1, isDurable: true });
      },
      async *readChunk({ lengthBytes }) {
        for (let sent = 0; sent < lengthBytes; sent += frameBytes)
          yield create(ReadChunkResponseSchema, { data: block });
      },
    }),
    serve(ChunkControlService, {
      statChunk: async () => create(StatChunkResponseSchema, { isPresent: true }),
      getNodeStatus: async () => create(GetNodeStatusResponseSchema, {}),
    }),
  ]);
  process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
  process.on("disconnect", () => process.exit(0));
  process.send?.({ address: listener.address });
}

interface Node {
  readonly child: ChildProcess;
  readonly address: string;
}

function nextMessage(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve) => child.once("message", (message) => resolve(message as Record<string, unknown>)));
}

async function startNode(transport: Transport): Promise<Node> {
  const child = fork(import.meta.filename, ["node", transport]);
  return { child, address: String((await nextMessage(child)).address) };
}

async function cpuSeconds(nodes: readonly Node[]): Promise<number> {
  let micros = 0;
  for (const { child } of nodes) {
    const answer = nextMessage(child);
    child.send("cpu");
    const { cpu } = (await answer) as unknown as { cpu: NodeJS.CpuUsage };
    micros += cpu.user + cpu.system;
  }
  const own = process.cpuUsage();
  return (micros + own.user + own.system) / 1e6;
}

async function inParallel(count: number, width: number, work: () => Promise<void>): Promise<void> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started++ < count) await work();
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function writeChunk(network: Network, nodes: readonly Node[], sizeBytes: number): Promise<void> {
  const [first, ...behind] = nodes;
  const block = Buffer.alloc(Math.min(frameBytes, sizeBytes), 7);
  async function* frames(): AsyncGenerator<WriteChunkRequest> {
    yield create(WriteChunkRequestSchema, {
      frame: { case: "header", value: { forward: behind.map(({ address }) => ({ address, nodeId: 1 })) } },
    });
    for (let sent = 0; sent < sizeBytes; sent += block.length)
      yield create(WriteChunkRequestSchema, { frame: { case: "data", value: block } });
    yield create(WriteChunkRequestSchema, { frame: { case: "trailer", value: {} } });
  }
  let acknowledged = 0;
  for await (const { isDurable } of network.client(ChunkDataService, first?.address ?? "").writeChunk(frames()))
    if (isDurable) acknowledged++;
  if (acknowledged !== nodes.length) throw new Error(`${acknowledged} of ${nodes.length} nodes acknowledged`);
}

async function readChunk(network: Network, node: Node): Promise<void> {
  let bytes = 0;
  const request = create(ReadChunkRequestSchema, { lengthBytes: chunkBytes });
  for await (const { data } of network.client(ChunkDataService, node.address).readChunk(request)) bytes += data.length;
  if (bytes !== chunkBytes) throw new Error(`${bytes} of ${chunkBytes} bytes were read`);
}

async function measure(name: string, nodes: readonly Node[], bytes: number, work: () => Promise<void>): Promise<void> {
  const cpuBefore = await cpuSeconds(nodes);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const cores = (await cpuSeconds(nodes)) - cpuBefore;
  process.stdout.write(
    `${name.padEnd(32)} ${(bytes / 1e6 / seconds).toFixed(0).padStart(6)} MB/s ${(cores / (bytes / 1e9)).toFixed(2).padStart(7)} core-s/GB\n`,
  );
}

async function measureSmall(transport: Transport, network: Network, nodes: readonly Node[]): Promise<void> {
  const count = 2000;
  const cpuBefore = await cpuSeconds(nodes);
  const start = performance.now();
  await inParallel(count, 16, () => writeChunk(network, nodes, 16 * 1024));
  const rate = (count / (performance.now() - start)) * 1000;
  const coreMs = (((await cpuSeconds(nodes)) - cpuBefore) / count) * 1000;
  const name = `${transport}: 16 KiB over the chain`.padEnd(32);
  process.stdout.write(`${name} ${rate.toFixed(0).padStart(6)} /s   ${coreMs.toFixed(2).padStart(7)} core-ms each\n`);
}

async function measureUnary(transport: Transport, network: Network, node: Node): Promise<void> {
  const count = 10_000;
  const control = network.client(ChunkControlService, node.address);
  const ask = async (): Promise<void> => {
    await control.statChunk(create(StatChunkRequestSchema, { chunkId: 7n }));
  };
  await inParallel(500, 64, ask);
  const cpuBefore = await cpuSeconds([node]);
  const start = performance.now();
  await inParallel(count, 64, ask);
  const rate = (count / (performance.now() - start)) * 1000;
  const coreMs = (((await cpuSeconds([node])) - cpuBefore) / count) * 1000;
  const name = `${transport}: unary, 64 in flight`.padEnd(32);
  process.stdout.write(`${name} ${rate.toFixed(0).padStart(6)} /s   ${coreMs.toFixed(2).padStart(7)} core-ms each\n`);
}

async function runClient(mib: number): Promise<void> {
  const chunkCount = Math.ceil((mib * 1024 * 1024) / chunkBytes);
  for (const transport of ["grpc-js", "lean"] as const) {
    const network = createNetwork(transport);
    const nodes = [await startNode(transport), await startNode(transport), await startNode(transport)];
    const first = nodes.slice(0, 1);
    const warm = nodes[0];
    if (warm === undefined) throw new Error("three nodes were started");
    await inParallel(8, chunksInFlight, () => writeChunk(network, nodes, chunkBytes));
    await inParallel(8, chunksInFlight, () => readChunk(network, warm));
    const bytes = chunkCount * chunkBytes;
    await measure(`${transport}: one hop up`, nodes, bytes, () =>
      inParallel(chunkCount, chunksInFlight, () => writeChunk(network, first, chunkBytes)),
    );
    await measure(`${transport}: one hop down`, nodes, bytes, () =>
      inParallel(chunkCount, chunksInFlight, () => readChunk(network, warm)),
    );
    await measure(`${transport}: chain of three`, nodes, bytes, () =>
      inParallel(chunkCount, chunksInFlight, () => writeChunk(network, nodes, chunkBytes)),
    );
    await measureSmall(transport, network, nodes);
    await measureUnary(transport, network, warm);
    await network.close();
    for (const { child } of nodes) child.disconnect();
  }
}

const [role, transport] = process.argv.slice(2);
if (role === "node") await runNode(transport === "lean" ? "lean" : "grpc-js");
else await runClient(Number(process.argv[process.argv.indexOf("--mib") + 1] ?? 512) || 512);
