import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import type { AsyncQueue } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { WriteChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { WriteChunkRequest, WriteChunkResponse, WriteHeader } from "@holdfast/proto/chunk/v1/chunk";
import { errorKindToWire } from "@holdfast/rpc";
import type { CallContext, Network } from "@holdfast/rpc";
import type { Timers } from "@holdfast/runtime";
import type { NodeFacts } from "../identity/node-identity.ts";
import type { ChunkStore, ChunkWrite, HeldChunk } from "../store/chunk-store.ts";
import { toHoldfastError } from "../wire/to-holdfast-error.ts";
import { ChunkForwarder } from "./chunk-forwarder.ts";
import type { ForwardLimits } from "./chunk-forwarder.ts";
import { checkCluster, frameBytesMax, headerFromWire, heldChunkFromWire, invalid } from "./chunk-requests-from-wire.ts";

/** What receiving a chunk works with. */
export interface ChunkReceiverOptions {
  readonly store: ChunkStore;
  readonly network: Network;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Who this node is now. */
  readonly node: () => NodeFacts;
  readonly forwardLimits: ForwardLimits;
}

/**
 * One write as it arrives: to the local store and, at the same time, on to the next node. The own acknowledgement and
 * those from behind go into `acks` as they come. When the own store refuses or fails but there are nodes behind, the
 * write goes on for them and is acknowledged here as not durable.
 */
export class ChunkReceiver {
  readonly #options: ChunkReceiverOptions;
  readonly #acks: AsyncQueue<WriteChunkResponse>;
  #forwarder: ChunkForwarder | undefined;
  #write: ChunkWrite | undefined;
  #localError: HoldfastError | undefined;

  constructor(options: ChunkReceiverOptions, acks: AsyncQueue<WriteChunkResponse>) {
    this.#options = options;
    this.#acks = acks;
  }

  /** Receives to the end. Errors: those of `WriteChunk`; whatever was begun is given up then. */
  async receive(requests: AsyncIterable<WriteChunkRequest>, context: CallContext): Promise<void> {
    try {
      const sha256 = await this.#receiveFrames(requests, context);
      await this.#commit(sha256);
      await this.#forwarder?.finished();
    } catch (error) {
      this.#forwarder?.abort();
      throw error;
    } finally {
      await this.#write?.abort();
    }
  }

  async #receiveFrames(requests: AsyncIterable<WriteChunkRequest>, context: CallContext): Promise<Uint8Array> {
    let chunk: HeldChunk | undefined;
    let receivedBytes = 0;
    for await (const request of requests) {
      if (chunk === undefined) {
        const header = headerFromWire(request);
        chunk = heldChunkFromWire(header);
        await this.#begin(header, chunk, context.requestId);
        continue;
      }
      const { frame } = request;
      if (frame.case === "trailer") return this.#takeTrailer(request, frame.value.sha256);
      if (frame.case !== "data") throw invalid("after the header come data frames and then a trailer");
      if (frame.value.length > frameBytesMax)
        throw new HoldfastError("tooLarge", `A frame holds at most ${frameBytesMax} bytes. Nothing was stored.`);
      receivedBytes += frame.value.length;
      if (receivedBytes > chunk.lengthBytes)
        throw new HoldfastError("tooLarge", "More bytes came than were announced. Nothing was stored.");
      await this.#takeData(request, frame.value);
    }
    throw invalid("the stream ended before its trailer");
  }

  async #begin(header: WriteHeader, chunk: HeldChunk, requestId: string): Promise<void> {
    const { store, node, network, timers, forwardLimits } = this.#options;
    checkCluster(node().clusterId, header.clusterId);
    const targets = header.forward.filter(({ nodeId }) => nodeId !== node().nodeId);
    if (targets.length > 0) {
      const onAck = (ack: WriteChunkResponse): void => void this.#acks.push(ack);
      this.#forwarder = new ChunkForwarder({
        network,
        timers,
        limits: forwardLimits,
        header,
        targets,
        requestId,
        onAck,
      });
    }
    await this.#locally(async () => {
      this.#write = await store.beginWrite(chunk);
    });
  }

  async #takeData(request: WriteChunkRequest, bytes: Uint8Array): Promise<void> {
    // Forwarded first: the next node's work overlaps with ours.
    const room = this.#forwarder?.push(request);
    if (this.#localError === undefined) await this.#locally(async () => this.#write?.append(bytes));
    if (room !== undefined) await room;
  }

  #takeTrailer(request: WriteChunkRequest, sha256: Uint8Array): Uint8Array {
    if (sha256.length !== 32) throw invalid("a SHA-256 has 32 bytes");
    void this.#forwarder?.push(request);
    return sha256;
  }

  async #commit(sha256: Uint8Array): Promise<void> {
    if (this.#localError === undefined) await this.#locally(async () => this.#write?.commit(sha256));
    const error = this.#localError;
    this.#acks.push(
      create(WriteChunkResponseSchema, {
        nodeId: this.#options.node().nodeId,
        isDurable: error === undefined,
        errorKind: error === undefined ? 0 : errorKindToWire(error.kind),
        errorMessage: error?.message ?? "",
      }),
    );
  }

  /** Runs a step of the own copy. It fails the whole write only when nobody is behind. */
  async #locally(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      if (error.kind === "internal") this.#options.logger.error("chunkserver.write_failed", { reason: String(thrown) });
      if (this.#forwarder === undefined || error.kind === "invalidArgument") throw error;
      this.#localError = error;
    }
  }
}
