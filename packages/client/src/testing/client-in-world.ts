import { createHash } from "node:crypto";
import { createRecordingLogger } from "@holdfast/observability";
import { createSimNetwork } from "@holdfast/rpc/sim";
import type { SimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld } from "@holdfast/runtime/sim";
import type { SimProcess, SimWorld } from "@holdfast/runtime/sim";
import { createFileBytes } from "../file-bytes.ts";
import type { FileBytes } from "../file-bytes.ts";
import type { MasterClient } from "../master-client.ts";
import type { RequestScope } from "../request-scope.ts";
import { MemoryMasters } from "./memory-masters.ts";
import { MemoryNodes } from "./memory-nodes.ts";

/** Bytes of a full chunk in these tests. */
export const testChunkSizeBytes = 200_000;

/** A client with its masters and nodes in a simulated world. */
export interface ClientInWorld {
  readonly world: SimWorld;
  readonly hub: SimNetwork;
  readonly process: SimProcess;
  readonly nodes: MemoryNodes;
  readonly masters: MemoryMasters;
  readonly bytes: FileBytes;
  readonly scope: RequestScope;
  readonly abort: () => void;
}

/** Runs a body with four nodes, three copies of which two must be durable. */
export async function withClient(
  body: (client: ClientInWorld) => Promise<void>,
  seed: number | string = 1,
): Promise<void> {
  const world = createSimWorld(seed);
  const hub = createSimNetwork(world);
  const nodes = new MemoryNodes(world, 4);
  const masters = new MemoryMasters(nodes, { chunkSizeBytes: testChunkSizeBytes, copies: 3, writeCopiesMin: 2 });
  const process = world.machine("gateway").startProcess();
  const { clock, timers, random } = process;
  const ports = { network: hub.forProcess(process), clock, timers, random, logger: createRecordingLogger() };
  const bytes = createFileBytes({ ...ports, masters: masters as unknown as MasterClient, owner: "gateway-1" });
  const controller = new AbortController();
  const scope = { requestId: "00".repeat(16), signal: controller.signal };
  const run = async (): Promise<void> => {
    for (const node of nodes.nodes) await node.listen(hub);
    await body({ world, hub, process, nodes, masters, bytes, scope, abort: () => controller.abort() });
  };
  await world.settle(run(), 24 * 3_600_000);
}

/** Bytes that tell where they are. */
export function sampleBytes(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let index = 0; index < lengthBytes; index++) bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 255;
  return bytes;
}

/** A source that gives bytes in pieces. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}

/** SHA-256. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** All that an iteration yields, in one. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}
