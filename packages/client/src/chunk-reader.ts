import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { equalBytes, HoldfastError, must, toHex } from "@holdfast/base";
import type { ErrorKind } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { ChunkDataService, ReadChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import { ReportBadReplicaSchema } from "@holdfast/proto/master/v1/master";
import type { ChunkLayout, ChunkPlace } from "@holdfast/proto/master/v1/master";
import type { Network } from "@holdfast/rpc";
import type { Random, Timer, Timers } from "@holdfast/runtime";
import type { ChunkRead } from "./chunk-plan.ts";
import type { MasterClient } from "./master-client.ts";
import type { OngoingRead, ReplicaChoice } from "./replica-choice.ts";
import { cancelledError, toHoldfastError } from "./request-scope.ts";
import type { RequestScope } from "./request-scope.ts";

/** Limits of reading one chunk. */
export interface ReadLimits {
  /**
   * Ms after which another copy is asked as well: without a first byte four times what the node takes on average, within
   * these; with one, the upper of these.
   */
  readonly hedgeAfterMs: { readonly min: number; readonly max: number };
  /** Ms after which one copy's read is given up. */
  readonly tryTimeoutMs: number;
}

/** What a chunk reader works with. */
export interface ChunkReaderOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly masters: Pick<MasterClient, "execute">;
  readonly replicas: ReplicaChoice;
  readonly limits: ReadLimits;
  /** Names the reader in reports of bad copies. */
  readonly owner: string;
}

/** A chunk of a file and which of its bytes are wanted. */
export interface WantedChunk {
  readonly clusterId: string;
  readonly layout: ChunkLayout;
  readonly read: ChunkRead;
}

/** Bytes of a chunk in the frames they came in. */
export type ChunkFrames = readonly Uint8Array[];

/** Reads chunks from whichever copy answers first and right. */
export class ChunkReader {
  readonly #options: ChunkReaderOptions;

  constructor(options: ChunkReaderOptions) {
    this.#options = options;
  }

  /**
   * The wanted bytes, verified: every block by the node, a whole chunk by its SHA-256 here. A slow copy is hedged with the
   * next one, a bad one is reported and left. Errors: dataLoss, unavailable (no copy could be read), tooBusy, cancelled.
   */
  read(wanted: WantedChunk, scope: RequestScope): Promise<ChunkFrames> {
    if (scope.signal.aborted) return Promise.reject(cancelledError());
    return new HedgedRead(this.#options, wanted, scope).run();
  }
}

class HedgedRead {
  readonly #options: ChunkReaderOptions;
  readonly #wanted: WantedChunk;
  readonly #scope: RequestScope;
  readonly #untried: ChunkPlace[];
  readonly #tries = new Set<AbortController>();
  #resolve: (frames: ChunkFrames) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #isOver = false;
  #hedge: { readonly timer: Timer; readonly place: ChunkPlace } | undefined;
  #lastError: HoldfastError | undefined;

  constructor(options: ChunkReaderOptions, wanted: WantedChunk, scope: RequestScope) {
    this.#options = options;
    this.#wanted = wanted;
    this.#scope = scope;
    this.#untried = options.replicas.order(wanted.layout.places);
  }

  run(): Promise<ChunkFrames> {
    const onAbort = (): void => this.#end(() => this.#reject(cancelledError()));
    this.#scope.signal.addEventListener("abort", onAbort, { once: true });
    const outcome = new Promise<ChunkFrames>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#tryNext();
    return outcome.finally(() => this.#scope.signal.removeEventListener("abort", onAbort));
  }

  #tryNext(): void {
    const place = this.#untried.shift();
    if (place === undefined) {
      if (this.#tries.size === 0) this.#end(() => this.#reject(noCopy(this.#wanted, this.#lastError)));
      return;
    }
    const { replicas, limits } = this.#options;
    const ongoing = replicas.begin(place.nodeId);
    this.#hedgeAfter(replicas.lateAfterMs(place.nodeId, limits.hedgeAfterMs), place, () => ongoing.late());
    // `#tryPlace` never rejects: what it learns goes into the outcome.
    void this.#tryPlace(place, ongoing);
  }

  /** Asks the next copy as well, unless there is none or the newest read is over by then. */
  #hedgeAfter(ms: number, place: ChunkPlace, onLate: () => void): void {
    this.#hedge?.timer.cancel();
    if (this.#untried.length === 0) return;
    const timer = this.#options.timers.after(ms, () => {
      onLate();
      this.#tryNext();
    });
    this.#hedge = { timer, place };
  }

  /** A node that has begun to send gets the time that sending takes. */
  #noteFirst(place: ChunkPlace, ongoing: OngoingRead): void {
    ongoing.first();
    if (this.#hedge?.place === place && !this.#isOver)
      this.#hedgeAfter(this.#options.limits.hedgeAfterMs.max, place, () => undefined);
  }

  async #tryPlace(place: ChunkPlace, ongoing: OngoingRead): Promise<void> {
    const cancel = new AbortController();
    this.#tries.add(cancel);
    try {
      const frames = await this.#fetch(place, cancel.signal, () => this.#noteFirst(place, ongoing));
      ongoing.end("read");
      this.#end(() => this.#resolve(frames));
    } catch (thrown) {
      ongoing.end(this.#isOver ? "givenUp" : "failed");
      if (!this.#isOver) this.#noteFailure(place, toHoldfastError(thrown));
    } finally {
      this.#tries.delete(cancel);
      if (!this.#isOver) this.#tryNext();
    }
  }

  async #fetch(place: ChunkPlace, signal: AbortSignal, onFirst: () => void): Promise<ChunkFrames> {
    const { clusterId, layout, read } = this.#wanted;
    const { chunkId, generation } = layout;
    const { offsetBytes, lengthBytes } = read;
    const request = create(ReadChunkRequestSchema, { clusterId, chunkId, generation, offsetBytes, lengthBytes });
    const client = this.#options.network.client(ChunkDataService, place.address);
    const options = { signal, requestId: this.#scope.requestId, timeoutMs: this.#options.limits.tryTimeoutMs };
    const frames: Uint8Array[] = [];
    const hash = read.isWhole ? createHash("sha256") : undefined;
    let receivedBytes = 0;
    for await (const { data } of client.readChunk(request, options)) {
      if (receivedBytes === 0) onFirst();
      receivedBytes += data.length;
      hash?.update(data);
      frames.push(data);
    }
    if (receivedBytes !== lengthBytes)
      throw new HoldfastError("dataLoss", `A node gave ${receivedBytes} of ${lengthBytes} bytes.`);
    if (hash !== undefined && !equalBytes(hash.digest(), layout.sha256)) {
      throw new HoldfastError("dataLoss", "A node's copy does not match the SHA-256 of the file's chunk.");
    }
    return frames;
  }

  #noteFailure({ nodeId }: ChunkPlace, error: HoldfastError): void {
    this.#lastError = error;
    const { logger } = this.#options;
    const { chunkId } = this.#wanted.layout;
    logger.warn("client.copy_unreadable", {
      nodeId,
      chunkId: String(chunkId),
      kind: error.kind,
      reason: error.message,
    });
    const reason = error.kind === "dataLoss" ? "corrupt" : error.kind === "notFound" ? "missing" : undefined;
    if (reason !== undefined) this.#report(nodeId, reason);
  }

  #report(nodeId: number, reason: "corrupt" | "missing"): void {
    const { masters, random, logger, owner } = this.#options;
    const value = create(ReportBadReplicaSchema, { chunkId: this.#wanted.layout.chunkId, nodeId, reason });
    const scope = {
      requestId: toHex(random.bytes(16)),
      signal: new AbortController().signal,
      actor: `gateway:${owner}`,
    };
    masters.execute({ case: "reportBadReplica", value }, scope).catch((failure: unknown) => {
      // The node's own heartbeat and inventory tell the same, later.
      logger.warn("client.report_failed", { nodeId, reason: String(failure) });
    });
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hedge?.timer.cancel();
    settle();
    for (const cancel of this.#tries) cancel.abort();
  }
}

/** What else a node says (that it has no such copy, that it is new) is between it and the cluster: the file is there. */
const passedOnKinds: readonly ErrorKind[] = ["dataLoss", "unavailable", "tooBusy"];

function noCopy(wanted: WantedChunk, lastError: HoldfastError | undefined): HoldfastError {
  if (lastError !== undefined && passedOnKinds.includes(lastError.kind)) return lastError;
  const places = must(wanted.layout.places, "a layout lists places");
  const message = `No copy of a chunk of this file can be read now (${places.length} known). The file is kept. Try again when its nodes are back.`;
  return new HoldfastError("unavailable", message, lastError === undefined ? {} : { cause: lastError });
}
