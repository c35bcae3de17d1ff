import { create } from "@bufbuild/protobuf";
import { HoldfastError, isPlanted } from "@holdfast/base";
import type { ErrorKind } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { WrittenChunkSchema } from "@holdfast/proto/master/v1/master";
import type { ChunkPlace, WrittenChunk } from "@holdfast/proto/master/v1/master";
import type { Random } from "@holdfast/runtime";
import { sendChunk } from "./chunk-sender.ts";
import type { ChunkSenderOptions, SendOutcome } from "./chunk-sender.ts";
import type { ClusterFacts } from "./cluster-facts.ts";
import type { GrantedChunk, GrantPool } from "./grant-pool.ts";
import type { RequestScope } from "./request-scope.ts";

/** Tries with all grants together, before a chunk is given up. */
const triesMax = 6;
/** Generation of a chunk that is written for the first time. */
const firstGeneration = 1;
/** Failures that say nothing against the node: the same one may be fine for other bytes. */
const innocentKinds: readonly ErrorKind[] = ["checksumMismatch", "cancelled"];

/** What a node says and a caller can act on. All else is between the node and the cluster. */
const passedOnKinds: readonly ErrorKind[] = ["cancelled", "unavailable", "noSpace", "tooBusy"];

/** What a chunk writer works with. */
export interface ChunkWriterOptions extends ChunkSenderOptions {
  readonly random: Random;
  readonly logger: Logger;
  readonly grants: GrantPool;
}

/** One chunk's bytes and their SHA-256. */
export interface ChunkContent {
  /** Must not change any more. */
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/** Writes chunks to the nodes that grants name, and finds other ways when nodes fail. */
export class ChunkWriter {
  readonly #options: ChunkWriterOptions;

  constructor(options: ChunkWriterOptions) {
    this.#options = options;
  }

  /**
   * Settles when the cluster's minimum of copies is durable on different nodes. A first node that fails or stands still is
   * replaced: by another order of the same nodes (the chunk is the same, so copies made stay valid), then by a new grant.
   * Errors: cancelled, unavailable, noSpace, tooBusy, or what the masters answer to a grant.
   */
  async write(content: ChunkContent, facts: ClusterFacts, scope: RequestScope): Promise<WrittenChunk> {
    const { grants, timers } = this.#options;
    let attempt: GrantAttempt | undefined;
    let lastError: HoldfastError | undefined;
    for (let tries = 0; tries < triesMax; tries++) {
      if (tries > 1) await timers.sleep(this.#pauseMs(tries), scope.signal);
      attempt ??= new GrantAttempt(await grants.take(scope.signal), facts.writeCopiesMin);
      const { clusterId, writeCopiesMin } = facts;
      const chunk = { ...content, clusterId, chunkId: attempt.granted.chunkId, generation: firstGeneration };
      const outcome = await sendChunk(this.#options, chunk, { places: attempt.places, writeCopiesMin }, scope);
      this.#noteCulprit(attempt.note(outcome), chunk.chunkId);
      if (attempt.isDone) return attempt.writtenChunk(content);
      lastError = [...outcome.failures.values()].at(-1) ?? lastError;
      if (!attempt.hasAnotherOrder()) attempt = undefined;
    }
    throw tooFewCopies(lastError);
  }

  #noteCulprit(culprit: Culprit | undefined, chunkId: bigint): void {
    if (culprit === undefined) return;
    const { nodeId, error } = culprit;
    if (!innocentKinds.includes(error.kind)) this.#options.grants.noteFailed(nodeId);
    this.#options.logger.warn("client.copy_failed", {
      nodeId,
      chunkId: String(chunkId),
      kind: error.kind,
      reason: error.message,
    });
  }

  #pauseMs(tries: number): number {
    return 20 * 2 ** tries * (0.5 + this.#options.random.fraction());
  }
}

/** A node that failed a try. */
interface Culprit {
  readonly nodeId: number;
  readonly error: HoldfastError;
}

/** Tries with one grant: which of its nodes have the chunk, and which are still worth a try. */
class GrantAttempt {
  readonly granted: GrantedChunk;
  readonly #writeCopiesMin: number;
  readonly #confirmed = new Set<number>();
  #places: readonly ChunkPlace[];
  #mayReorder = true;

  constructor(granted: GrantedChunk, writeCopiesMin: number) {
    this.granted = granted;
    this.#places = granted.places;
    this.#writeCopiesMin = isPlanted("commitBelowMinimum") ? 1 : writeCopiesMin;
  }

  get places(): readonly ChunkPlace[] {
    return this.#places;
  }

  get isDone(): boolean {
    return this.#confirmed.size >= this.#writeCopiesMin;
  }

  /** Takes in what became of a try. Answers the node at fault, if any. */
  note({ confirmedNodeIds, failures }: SendOutcome): Culprit | undefined {
    for (const nodeId of confirmedNodeIds) this.#confirmed.add(nodeId);
    // Stored with other bytes: no order of the same chunk id can help.
    if ([...failures.values()].some(({ kind }) => kind === "checksumMismatch")) this.#mayReorder = false;
    // Those behind a dead node were answered for by others; only the first in line that failed is known to be at fault.
    const nodeId = this.#places.find((place) => failures.has(place.nodeId))?.nodeId;
    const error = nodeId === undefined ? undefined : failures.get(nodeId);
    if (nodeId === undefined || error === undefined) return undefined;
    this.#places = this.#places.filter((place) => place.nodeId !== nodeId);
    return { nodeId, error };
  }

  /** Whether enough of the nodes are left to try them without the one that failed. */
  hasAnotherOrder(): boolean {
    return this.#mayReorder && this.#places.length >= this.#writeCopiesMin;
  }

  writtenChunk(content: ChunkContent): WrittenChunk {
    return create(WrittenChunkSchema, {
      chunkId: this.granted.chunkId,
      generation: firstGeneration,
      lengthBytes: content.bytes.length,
      sha256: content.sha256,
      nodeIds: this.granted.places.map(({ nodeId }) => nodeId),
      confirmedNodeIds: [...this.#confirmed],
    });
  }
}

/** A node that is new, or whose disk failed, says nothing about the file: another try finds other nodes. */
function tooFewCopies(lastError: HoldfastError | undefined): HoldfastError {
  if (lastError !== undefined && passedOnKinds.includes(lastError.kind)) return lastError;
  const said = lastError === undefined ? "" : ` (the last one said: ${lastError.message})`;
  const message = `Too few nodes took the chunk${said}. Nothing became visible. Try again in a moment.`;
  return new HoldfastError("unavailable", message, lastError === undefined ? {} : { cause: lastError });
}
