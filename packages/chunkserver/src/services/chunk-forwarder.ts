import { create } from "@bufbuild/protobuf";
import { AsyncQueue, HoldfastError, must } from "@holdfast/base";
import { ChunkDataService, WriteChunkRequestSchema, WriteChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { ForwardTarget, WriteChunkRequest, WriteChunkResponse, WriteHeader } from "@holdfast/proto/chunk/v1/chunk";
import { errorKindToWire } from "@holdfast/rpc";
import type { Network } from "@holdfast/rpc";
import type { Timer, Timers } from "@holdfast/runtime";
import { toHoldfastError } from "../wire/to-holdfast-error.ts";

/** Limits of forwarding. */
export interface ForwardLimits {
  /** Bytes that may wait for the next node. */
  readonly backlogBytesMax: number;
  /** Ms the writer is held back, all in all, for a next node that takes nothing; then it is given up. */
  readonly stallMs: number;
  /** Ms from the trailer to the last acknowledgement. */
  readonly ackTimeoutMs: number;
}

/** What a forwarder works with. */
export interface ChunkForwarderOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly limits: ForwardLimits;
  readonly header: WriteHeader;
  /** The nodes behind this one, next first; at least one. */
  readonly targets: readonly ForwardTarget[];
  readonly requestId: string;
  /** Takes the acknowledgements of the nodes behind, as they come; every target is answered for exactly once. */
  readonly onAck: (ack: WriteChunkResponse) => void;
}

/**
 * Sends a write on to the next node while it arrives. A next node that is slow or dead never fails or (beyond
 * `stallMs`) delays this node's own write: it and those behind it are answered for as not durable.
 */
export class ChunkForwarder {
  readonly #options: ChunkForwarderOptions;
  readonly #frames: AsyncQueue<WriteChunkRequest>;
  readonly #cancel = new AbortController();
  readonly #unanswered: Set<number>;
  readonly #finished: Promise<void>;
  #backlogBytes = 0;
  #stallMsLeft: number;
  #onRoom: (() => void) | undefined;
  #givenUp: HoldfastError | undefined;
  #isOver = false;
  #ackTimer: Timer | undefined;

  constructor(options: ChunkForwarderOptions) {
    this.#options = options;
    this.#stallMsLeft = options.limits.stallMs;
    this.#unanswered = new Set(options.targets.map(({ nodeId }) => nodeId));
    this.#frames = new AsyncQueue((frame) => this.#noteTaken(frame));
    const forward = options.targets.slice(1);
    this.#frames.push(
      create(WriteChunkRequestSchema, { frame: { case: "header", value: { ...options.header, forward } } }),
    );
    this.#finished = this.#run();
  }

  /** Sends one frame. Undefined, or a promise that settles when the writer may go on. Never rejects. */
  push(frame: WriteChunkRequest): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    if (frame.frame.case === "data") this.#backlogBytes += frame.frame.value.length;
    this.#frames.push(frame);
    if (frame.frame.case === "trailer") this.#expectAcks();
    return this.#backlogBytes > this.#options.limits.backlogBytesMax ? this.#waitForRoom() : undefined;
  }

  /** Settles when every target was answered for. Never rejects. */
  finished(): Promise<void> {
    return this.#finished;
  }

  /** The write is given up; the nodes behind shall give it up too. */
  abort(): void {
    this.#giveUp(new HoldfastError("cancelled", "The write was given up before its end."));
  }

  async #run(): Promise<void> {
    const { network, targets, requestId } = this.#options;
    const { address } = must(targets[0], "a forwarder has a target");
    try {
      const call = network
        .client(ChunkDataService, address)
        .writeChunk(this.#frames, { signal: this.#cancel.signal, requestId });
      for await (const ack of call) if (this.#unanswered.delete(ack.nodeId)) this.#options.onAck(ack);
      this.#answerRest(
        new HoldfastError("unavailable", "The next node ended the write without an answer for this one."),
      );
    } catch (error) {
      this.#answerRest(this.#givenUp ?? toHoldfastError(error));
    } finally {
      this.#isOver = true;
      this.#ackTimer?.cancel();
      this.#frames.end();
      this.#onRoom?.();
    }
  }

  #answerRest(error: HoldfastError): void {
    const errorKind = errorKindToWire(error.kind);
    for (const nodeId of this.#unanswered) {
      this.#options.onAck(
        create(WriteChunkResponseSchema, { nodeId, isDurable: false, errorKind, errorMessage: error.message }),
      );
    }
    this.#unanswered.clear();
  }

  #expectAcks(): void {
    this.#frames.end();
    const { timers, limits } = this.#options;
    this.#ackTimer = timers.after(limits.ackTimeoutMs, () => {
      this.#giveUp(new HoldfastError("deadline", "The next node did not acknowledge in time."));
    });
  }

  async #waitForRoom(): Promise<void> {
    const { timers } = this.#options;
    const stallMs = this.#stallMsLeft;
    const isInTime = await new Promise<boolean>((resolve) => {
      const timer = timers.after(stallMs, () => resolve(false));
      this.#onRoom = () => {
        timer.cancel();
        resolve(true);
      };
    });
    this.#onRoom = undefined;
    // Every wait costs some of the allowance, so that a node that crawls is given up as one that stands.
    this.#stallMsLeft = Math.max(1, stallMs / 2);
    if (!isInTime) this.#giveUp(new HoldfastError("tooBusy", "The next node took the data too slowly."));
  }

  #giveUp(reason: HoldfastError): void {
    if (this.#isOver) return;
    this.#givenUp ??= reason;
    this.#isOver = true;
    this.#frames.end();
    this.#cancel.abort();
  }

  #noteTaken(frame: WriteChunkRequest): void {
    if (frame.frame.case !== "data") return;
    this.#backlogBytes -= frame.frame.value.length;
    if (this.#backlogBytes <= this.#options.limits.backlogBytesMax) this.#onRoom?.();
  }
}
