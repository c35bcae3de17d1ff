import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { ChunkDataService, WriteChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { WriteChunkRequest, WriteChunkResponse } from "@holdfast/proto/chunk/v1/chunk";
import type { ChunkPlace } from "@holdfast/proto/master/v1/master";
import { errorKindFromWire } from "@holdfast/rpc";
import type { Network } from "@holdfast/rpc";
import type { Timer, Timers } from "@holdfast/runtime";
import { cancelledError, toHoldfastError } from "./request-scope.ts";
import type { RequestScope } from "./request-scope.ts";

/** Data of one frame: large messages cost least (toolchain measurements in ARCHITECTURE.md), several overlap the hops. */
const frameBytes = 512 * 1024;

/** Limits of one try. */
export interface SendLimits {
  /** Ms without a frame taken or an acknowledgement, after which the first node is given up. */
  readonly stallMs: number;
  /** Ms that copies beyond the minimum are waited for. */
  readonly graceMs: number;
  /** Ms that a call may go on in the background for the sake of those copies. */
  readonly lingerMs: number;
}

/** What is sent. The bytes must not change until the call ended, which may be after the outcome. */
export interface ChunkToSend {
  readonly clusterId: string;
  readonly chunkId: bigint;
  readonly generation: number;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/** What a sender works with. */
export interface ChunkSenderOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly limits: SendLimits;
}

/** Where to. */
export interface Destination {
  /** The first takes the write and forwards to the others. */
  readonly places: readonly ChunkPlace[];
  readonly writeCopiesMin: number;
}

/** What became of one try. */
export interface SendOutcome {
  readonly confirmedNodeIds: readonly number[];
  /** Nodes that answered with an error, or did not answer when it was their turn. */
  readonly failures: ReadonlyMap<number, HoldfastError>;
}

/**
 * Sends one chunk once. Settles when the minimum of copies is durable (and, for at most `graceMs`, when the others have
 * answered too), or when the try cannot succeed any more. Later copies go on in the background. Errors: cancelled.
 */
export function sendChunk(
  options: ChunkSenderOptions,
  chunk: ChunkToSend,
  destination: Destination,
  scope: RequestScope,
): Promise<SendOutcome> {
  return new SendOnce(options, chunk, destination, scope).run();
}

class SendOnce {
  readonly #options: ChunkSenderOptions;
  readonly #chunk: ChunkToSend;
  readonly #destination: Destination;
  readonly #scope: RequestScope;
  readonly #confirmed = new Set<number>();
  readonly #failures = new Map<number, HoldfastError>();
  readonly #cancel = new AbortController();
  #settle: (outcome: SendOutcome) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #isSettled = false;
  #stall: Timer | undefined;
  #grace: Timer | undefined;
  #linger: Timer | undefined;

  constructor(options: ChunkSenderOptions, chunk: ChunkToSend, destination: Destination, scope: RequestScope) {
    this.#options = options;
    this.#chunk = chunk;
    this.#destination = destination;
    this.#scope = scope;
  }

  run(): Promise<SendOutcome> {
    const { signal } = this.#scope;
    if (signal.aborted) return Promise.reject(cancelledError());
    const onAbort = (): void => this.#abandon();
    signal.addEventListener("abort", onAbort, { once: true });
    const outcome = new Promise<SendOutcome>((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    this.#noteProgress();
    // `#call` never rejects: all it learns goes into the outcome.
    void this.#call();
    return outcome.finally(() => signal.removeEventListener("abort", onAbort));
  }

  async #call(): Promise<void> {
    const { network } = this.#options;
    const [first] = this.#destination.places;
    try {
      const client = network.client(ChunkDataService, first?.address ?? "");
      const call = client.writeChunk(this.#frames(), { signal: this.#cancel.signal, requestId: this.#scope.requestId });
      for await (const ack of call) this.#takeAck(ack);
      this.#end(new HoldfastError("unavailable", "The node ended the write without an answer."));
    } catch (error) {
      this.#end(toHoldfastError(error));
    }
  }

  *#frameValues(): Generator<WriteChunkRequest["frame"]> {
    const { clusterId, chunkId, generation, bytes, sha256 } = this.#chunk;
    const forward = this.#destination.places.slice(1).map(({ nodeId, address }) => ({ nodeId, address }));
    const { frame } = create(WriteChunkRequestSchema, {
      frame: { case: "header", value: { clusterId, chunkId, generation, lengthBytes: bytes.length, forward } },
    });
    yield frame;
    for (let offset = 0; offset < bytes.length; offset += frameBytes) {
      yield { case: "data", value: bytes.subarray(offset, offset + frameBytes) };
    }
    yield create(WriteChunkRequestSchema, { frame: { case: "trailer", value: { sha256 } } }).frame;
  }

  async *#frames(): AsyncGenerator<WriteChunkRequest> {
    for (const frame of this.#frameValues()) {
      this.#noteProgress();
      yield create(WriteChunkRequestSchema, { frame });
    }
  }

  #takeAck(ack: WriteChunkResponse): void {
    this.#noteProgress();
    // Another node may live at an address by now, with an empty disk: its copy is none of those that were granted.
    if (!this.#destination.places.some(({ nodeId }) => nodeId === ack.nodeId)) this.#failSilent(strangerAnswered());
    else if (ack.isDurable) this.#confirmed.add(ack.nodeId);
    else this.#failures.set(ack.nodeId, new HoldfastError(errorKindFromWire(ack.errorKind), ack.errorMessage));
    const { places, writeCopiesMin } = this.#destination;
    const answeredCount = this.#confirmed.size + this.#failures.size;
    if (answeredCount >= places.length || places.length - this.#failures.size < writeCopiesMin) this.#finish();
    else if (this.#confirmed.size >= writeCopiesMin) {
      this.#grace ??= this.#options.timers.after(this.#options.limits.graceMs, () => this.#finish());
    }
  }

  /** The call is over; who should have answered and did not is known now. */
  #end(error: HoldfastError): void {
    this.#linger?.cancel();
    this.#failSilent(error);
    this.#finish();
  }

  /** Acknowledgements come through the nodes in line: the first that is missing is where it stopped. */
  #failSilent(error: HoldfastError): void {
    const stopped = this.#destination.places.find(
      ({ nodeId }) => !this.#confirmed.has(nodeId) && !this.#failures.has(nodeId),
    );
    if (stopped !== undefined) this.#failures.set(stopped.nodeId, error);
  }

  #finish(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#stall?.cancel();
    this.#grace?.cancel();
    this.#linger = this.#options.timers.after(this.#options.limits.lingerMs, () => this.#cancel.abort());
    this.#settle({ confirmedNodeIds: [...this.#confirmed], failures: new Map(this.#failures) });
  }

  #abandon(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#stall?.cancel();
    this.#grace?.cancel();
    this.#cancel.abort();
    this.#fail(cancelledError());
  }

  #noteProgress(): void {
    if (this.#isSettled) return;
    this.#stall?.cancel();
    const { timers, limits } = this.#options;
    this.#stall = timers.after(limits.stallMs, () => {
      const stalled = new HoldfastError("deadline", "The node took too long over the write.");
      this.#cancel.abort();
      this.#end(stalled);
    });
  }
}

function strangerAnswered(): HoldfastError {
  return new HoldfastError("unavailable", "another node than the one meant answers there; the chunk goes elsewhere");
}
