import { create } from "@bufbuild/protobuf";
import { compareBytes, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import { ChunkDataService, ReadChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { Network } from "@holdfast/rpc";
import type { Clock, Timers } from "@holdfast/runtime";
import type { ChunkFacts, ChunkKey, ChunkStore, InventoryListener } from "../store/chunk-store.ts";
import { Turnstile } from "../store/turnstile.ts";
import type { BadSource } from "./bad-source-reporter.ts";
import { Pace } from "./pace.ts";
import type { YieldPolicy } from "./policy.ts";
import type { ReplicaSource, ReplicateOrder } from "./replicate-order.ts";
import type { Yielding } from "./yielding.ts";

/** How much of this node fetching may take. */
export interface ReplicateLimits {
  /** Copies fetched at once. */
  readonly pullsMax: number;
  /** Orders that wait; more are left out, the leader repeats them. */
  readonly waitingMax: number;
  /** A source that sends nothing for so long is given up. */
  readonly stallMs: number;
  /** Copies given to other nodes at once; the others wait. */
  readonly sourceReadsMax: number;
  /** Bytes a second that copying may take when no order says less, before it yields to others. */
  readonly bytesPerSecondMax: number;
  readonly yielding: YieldPolicy;
}

/** What fetching works with. */
export interface ReplicatorOptions {
  readonly store: ChunkStore;
  readonly network: Network;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told again of a copy that is here already. */
  readonly listener: InventoryListener;
  readonly clusterId: () => string;
  /** How much of its rate fetching may take. */
  readonly yielding: Yielding;
  /** Told of a source that gave other bytes than it should have. */
  readonly onBadSource: (bad: BadSource) => void;
  readonly limits: ReplicateLimits;
}

interface Pull {
  readonly stop: AbortController;
  /** False while it waits for its turn. */
  isRunning: boolean;
  ended: Promise<void>;
}

/**
 * Fetches copies that the leader wants here: asks one source after another, verifies length and SHA-256, and publishes
 * through the same path as any write. The store's listener reports the copy; a failure is only logged, because the
 * leader orders again, with the sources of that time.
 */
export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #pulls = new Map<string, Pull>();
  readonly #turnstile: Turnstile;
  readonly #pace: Pace;
  #isStopped = false;
  #runningCount = 0;
  #bytesPerSecondMax = 0;

  constructor(options: ReplicatorOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.limits.pullsMax);
    this.#pace = new Pace(options.clock, options.timers);
  }

  /** Copies being fetched now. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** Fetches a copy some time soon. An order for a copy that is being fetched changes nothing. Never throws. */
  order(order: ReplicateOrder): void {
    const key = keyOf(order.chunk);
    this.#bytesPerSecondMax = order.bytesPerSecondMax;
    if (this.#isStopped || this.#pulls.has(key) || this.#pulls.size >= this.#options.limits.waitingMax) return;
    const pull: Pull = { stop: new AbortController(), isRunning: false, ended: Promise.resolve() };
    this.#pulls.set(key, pull);
    pull.ended = this.#run(order, pull).finally(() => {
      if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
    });
  }

  /** The copy is not wanted here any more; settles when nothing of the fetching goes on. */
  async cancel(chunk: ChunkKey): Promise<void> {
    const key = keyOf(chunk);
    const pull = this.#pulls.get(key);
    if (pull === undefined) return;
    pull.stop.abort();
    this.#pulls.delete(key);
    // One that waits for its turn sees the signal then and does nothing.
    if (pull.isRunning) await pull.ended;
  }

  /** Gives up everything and waits for it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const pulls = [...this.#pulls.values()];
    for (const { stop } of pulls) stop.abort();
    await Promise.all(pulls.map(({ ended }) => ended));
  }

  /** Never rejects. */
  #run(order: ReplicateOrder, pull: Pull): Promise<void> {
    const { signal } = pull.stop;
    return this.#turnstile.run(async () => {
      if (signal.aborted) return;
      pull.isRunning = true;
      this.#runningCount += 1;
      try {
        await this.#options.yielding.copying(() => this.#fetch(order, signal));
      } catch (error) {
        const reason = isHoldfastError(error) ? error.message : String(error);
        if (!signal.aborted) this.#options.logger.warn("chunkserver.fetch_failed", { ...keyFields(order), reason });
      } finally {
        this.#runningCount -= 1;
      }
    });
  }

  async #fetch(order: ReplicateOrder, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const { chunk } = order;
    if (await this.#isHere(chunk)) return;
    for (const source of order.sources) {
      if (signal.aborted) return;
      try {
        await this.#fetchFrom(source, order, signal);
        return;
      } catch (error) {
        // The own disk's refusal is not the source's fault; another source would not help.
        if (!isHoldfastError(error) || error.kind === "noSpace" || error.kind === "diskFailed") throw error;
        if (!signal.aborted) {
          const fields = { ...keyFields(order), sourceNodeId: source.nodeId, kind: error.kind, reason: error.message };
          logger.warn("chunkserver.source_failed", fields);
          // Damage that the source's own checksums show is reported by the source itself.
          if (error.kind === "checksumMismatch")
            this.#options.onBadSource({ chunkId: chunk.chunkId, nodeId: source.nodeId });
        }
      }
    }
    throw new HoldfastError("unavailable", "No source could give the copy. It will be ordered again.");
  }

  /** A copy that is here already is verified and reported again. Errors: precondition when it has other bytes. */
  async #isHere(chunk: ChunkFacts): Promise<boolean> {
    const { store, listener } = this.#options;
    if (!store.has(chunk)) return false;
    const facts = await store.facts(chunk);
    if (facts === undefined || !(await store.verify(chunk)) || !store.has(chunk)) return false;
    if (compareBytes(facts.sha256, chunk.sha256) !== 0)
      throw new HoldfastError("precondition", "The copy that is here has other bytes. It was left as it is.");
    listener.added(chunk);
    return true;
  }

  async #fetchFrom(source: ReplicaSource, { chunk }: ReplicateOrder, signal: AbortSignal): Promise<void> {
    const { store, metrics } = this.#options;
    const write = await store.beginWrite(chunk);
    try {
      for await (const data of this.#read(source, chunk, signal)) {
        await write.append(data);
        await this.#pace.pass(data.length, this.#rate(), signal);
      }
      if (signal.aborted) return;
      await write.commit(chunk.sha256);
      metrics
        .counter({ name: "holdfast_chunkserver_fetched_bytes", help: "Bytes of copies fetched from other nodes." })
        .add(chunk.lengthBytes);
    } finally {
      await write.abort();
    }
  }

  /** The source's bytes; ends with an error when the source falls silent. */
  async *#read(source: ReplicaSource, chunk: ChunkKey, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { network, timers, clusterId, limits } = this.#options;
    const call = new AbortController();
    const onStop = (): void => call.abort();
    signal.addEventListener("abort", onStop);
    let silence = timers.after(limits.stallMs, onStop);
    try {
      const request = {
        clusterId: clusterId(),
        chunkId: BigInt(chunk.chunkId),
        generation: chunk.generation,
        isBackground: true,
      };
      const answers = network
        .client(ChunkDataService, source.address)
        .readChunk(create(ReadChunkRequestSchema, request), { signal: call.signal });
      for await (const { data } of answers) {
        silence.cancel();
        yield data;
        silence = timers.after(limits.stallMs, onStop);
      }
    } finally {
      silence.cancel();
      signal.removeEventListener("abort", onStop);
      call.abort();
    }
  }

  /** What others do here comes first. 0 = no limit. */
  #rate(): number {
    const { limits, yielding } = this.#options;
    const { share } = yielding;
    if (share === 1) return this.#bytesPerSecondMax;
    return share * (this.#bytesPerSecondMax === 0 ? limits.bytesPerSecondMax : this.#bytesPerSecondMax);
  }
}

function keyOf({ chunkId, generation }: ChunkKey): string {
  return `${chunkId}.${generation}`;
}

function keyFields({ chunk }: ReplicateOrder): ChunkKey {
  return { chunkId: chunk.chunkId, generation: chunk.generation };
}
