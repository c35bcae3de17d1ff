import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { AsyncQueue, concatBytes, equalBytes, HoldfastError, must } from "@holdfast/base";
import type { ErrorKind } from "@holdfast/base";
import { ChunkDataService, ReadChunkResponseSchema, WriteChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import type {
  ReadChunkRequest,
  ReadChunkResponse,
  WriteChunkRequest,
  WriteChunkResponse,
  WriteHeader,
} from "@holdfast/proto/chunk/v1/chunk";
import { errorKindToWire, serve } from "@holdfast/rpc";
import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimProcess, SimWorld } from "@holdfast/runtime/sim";

/** A chunkserver in memory: stores, and "forwards" by handing to its neighbours directly. */
export class MemoryNode {
  readonly nodeId: number;
  readonly chunks = new Map<bigint, Uint8Array>();
  readonly address: string;
  readonly process: SimProcess;
  /** When set: every write is refused so. */
  refusesWith: ErrorKind | undefined;
  /** Ms before an acknowledgement and before a read's first frame. */
  delayMs = 0;
  readCount = 0;
  readonly #fleet: MemoryNodes;

  constructor(fleet: MemoryNodes, nodeId: number) {
    this.#fleet = fleet;
    this.nodeId = nodeId;
    this.address = `node-${nodeId}:7000`;
    this.process = fleet.world.machine(`node-${nodeId}`).startProcess();
  }

  async listen(hub: SimNetwork): Promise<void> {
    const service = serve(ChunkDataService, {
      writeChunk: (requests) => this.#write(requests),
      readChunk: (request) => this.#read(request),
    });
    await hub.forProcess(this.process).listen(this.address, [service]);
  }

  /** Its own answer to a whole chunk. */
  async take(header: WriteHeader, bytes: Uint8Array, sha256: Uint8Array): Promise<WriteChunkResponse> {
    if (this.delayMs > 0) await this.process.timers.sleep(this.delayMs);
    const kind = this.process.isAlive ? this.#verdict(header, bytes, sha256) : "unavailable";
    if (kind === undefined) this.chunks.set(header.chunkId, bytes);
    return create(WriteChunkResponseSchema, {
      nodeId: this.nodeId,
      isDurable: kind === undefined,
      errorKind: kind === undefined ? 0 : errorKindToWire(kind),
    });
  }

  #verdict(header: WriteHeader, bytes: Uint8Array, sha256: Uint8Array): ErrorKind | undefined {
    if (this.refusesWith !== undefined) return this.refusesWith;
    const stored = this.chunks.get(header.chunkId);
    if (stored !== undefined && !equalBytes(stored, bytes)) return "checksumMismatch";
    return equalBytes(createHash("sha256").update(bytes).digest(), sha256) ? undefined : "checksumMismatch";
  }

  async *#write(requests: AsyncIterable<WriteChunkRequest>): AsyncGenerator<WriteChunkResponse> {
    let header: WriteHeader | undefined;
    const parts: Uint8Array[] = [];
    for await (const { frame } of requests) {
      if (frame.case === "header") header = frame.value;
      // Copied: the writer may use its buffer again once the call is over.
      if (frame.case === "data") parts.push(frame.value.slice());
      if (frame.case !== "trailer") continue;
      const opened = must(header, "a write begins with its header");
      const bytes = concatBytes(parts);
      const targets = opened.forward.map(({ nodeId }) => this.#fleet.node(nodeId));
      const answers = new AsyncQueue<WriteChunkResponse>();
      const taking = [this, ...targets].map(
        async (node) => void answers.push(await node.take(opened, bytes, frame.value.sha256)),
      );
      Promise.all(taking).then(
        () => answers.end(),
        (error: unknown) => answers.fail(error),
      );
      yield* answers;
      return;
    }
  }

  async *#read(request: ReadChunkRequest): AsyncGenerator<ReadChunkResponse> {
    this.readCount++;
    if (this.delayMs > 0) await this.process.timers.sleep(this.delayMs);
    const bytes = this.chunks.get(request.chunkId);
    if (bytes === undefined) throw new HoldfastError("notFound", "no such copy");
    const end = request.lengthBytes === 0 ? bytes.length : request.offsetBytes + request.lengthBytes;
    for (let offset = request.offsetBytes; offset < end; offset += 100_000) {
      yield create(ReadChunkResponseSchema, { data: bytes.subarray(offset, Math.min(end, offset + 100_000)) });
    }
  }
}

/** So many nodes in a simulated world. */
export class MemoryNodes {
  readonly world: SimWorld;
  readonly nodes: MemoryNode[] = [];

  constructor(world: SimWorld, nodeCount: number) {
    this.world = world;
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) this.nodes.push(new MemoryNode(this, nodeId));
  }

  node(nodeId: number): MemoryNode {
    return must(this.nodes[nodeId - 1], "the node exists");
  }
}
