import { create } from "@bufbuild/protobuf";
import { isHoldfastError, must, toHex } from "@holdfast/base";
import { GrantChunksSchema } from "@holdfast/proto/master/v1/master";
import type { ChunkPlace } from "@holdfast/proto/master/v1/master";
import type { Clock, Random } from "@holdfast/runtime";
import type { MasterClient } from "./master-client.ts";
import { cancelledError } from "./request-scope.ts";

/** A chunk id with the nodes it is to be written to, in forwarding order. */
export interface GrantedChunk {
  readonly chunkId: bigint;
  readonly places: readonly ChunkPlace[];
  /** Monotonic ms; a chunk taken before can still be written and committed in time. */
  readonly usableUntilMs: number;
}

/** What a pool works with. */
export interface GrantPoolOptions {
  readonly masters: Pick<MasterClient, "execute">;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of the gateway or program that writes. */
  readonly owner: string;
  /** Ms a node is avoided after it failed. Default 30 s. */
  readonly avoidMs?: number;
}

const batchCountMin = 4;
const batchCountMax = 64;
/** Share of a grant's life within which its chunks are handed out; the rest is for writing and committing. */
const usableLifeShare = 0.5;

interface Waiter {
  resolve(chunk: GrantedChunk): void;
  reject(error: unknown): void;
}

/**
 * Chunk ids granted ahead of need. The batch doubles while writers have to wait for it and shrinks while grants expire
 * unused. Nodes that just failed are avoided in new grants, and grants that name them are let go.
 */
export class GrantPool {
  readonly #options: GrantPoolOptions;
  readonly #avoidUntilMs = new Map<number, number>();
  readonly #waiters: Waiter[] = [];
  #free: GrantedChunk[] = [];
  #batchCount = batchCountMin;
  #isFetching = false;

  constructor(options: GrantPoolOptions) {
    this.#options = options;
  }

  /** The next chunk. Errors: cancelled, noSpace, unavailable, and what else `GrantChunks` may answer. */
  take(signal: AbortSignal): Promise<GrantedChunk> {
    if (signal.aborted) return Promise.reject(cancelledError());
    this.#dropExpired();
    const chunk = this.#waiters.length === 0 ? this.#takeBest() : undefined;
    if (chunk !== undefined) {
      if (this.#free.length < this.#batchCount / 2) this.#fetch();
      return Promise.resolve(chunk);
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.push(waiter);
      const onAbort = (): void => {
        const position = this.#waiters.indexOf(waiter);
        if (position < 0) return;
        this.#waiters.splice(position, 1);
        reject(cancelledError());
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#fetch();
    });
  }

  /** A node failed a write: grants that name it are let go, and new ones avoid it for a while. */
  noteFailed(nodeId: number): void {
    this.#avoidUntilMs.set(nodeId, this.#options.clock.monotonicMs() + (this.#options.avoidMs ?? 30_000));
    this.#free = this.#free.filter(({ places }) => places.every((place) => place.nodeId !== nodeId));
  }

  /** Whether a node failed a short while ago. */
  isAvoided(nodeId: number): boolean {
    return (this.#avoidUntilMs.get(nodeId) ?? 0) > this.#options.clock.monotonicMs();
  }

  /** The oldest of those that name the fewest avoided nodes; these stand last in its order. */
  #takeBest(): GrantedChunk | undefined {
    const avoidedCounts = this.#free.map(({ places }) => places.filter(({ nodeId }) => this.isAvoided(nodeId)).length);
    const [best] = this.#free.splice(avoidedCounts.indexOf(Math.min(...avoidedCounts)), 1);
    if (best === undefined) return undefined;
    const isGood = ({ nodeId }: ChunkPlace): boolean => !this.isAvoided(nodeId);
    return { ...best, places: [...best.places.filter(isGood), ...best.places.filter((place) => !isGood(place))] };
  }

  #dropExpired(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const usable = this.#free.filter(({ usableUntilMs }) => usableUntilMs > nowMs);
    if (usable.length < this.#free.length) this.#batchCount = Math.max(batchCountMin, this.#batchCount / 2);
    this.#free = usable;
  }

  #fetch(): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    void this.#fetchBatch();
  }

  /** Never rejects: an error goes to those who wait. */
  async #fetchBatch(): Promise<void> {
    // Somebody waits: the last batch was too small (or there was none).
    if (this.#waiters.length > 0) this.#batchCount = Math.min(batchCountMax, this.#batchCount * 2);
    try {
      const granted = await this.#grant(Math.min(256, Math.max(this.#batchCount, this.#waiters.length)));
      this.#free.push(...granted);
      while (this.#free.length > 0 && this.#waiters.length > 0) {
        this.#waiters.shift()?.resolve(must(this.#takeBest(), "a chunk is free"));
      }
    } catch (error) {
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    } finally {
      this.#isFetching = false;
    }
    if (this.#waiters.length > 0) this.#fetch();
  }

  async #grant(count: number): Promise<GrantedChunk[]> {
    const avoidNodeIds = [...this.#avoidUntilMs.keys()].filter((nodeId) => this.isAvoided(nodeId));
    try {
      return await this.#ask(count, avoidNodeIds);
    } catch (error) {
      // Too few nodes are left when these are avoided: better a node that failed once than none.
      if (avoidNodeIds.length === 0 || !isHoldfastError(error, "unavailable", "noSpace")) throw error;
      return this.#ask(count, []);
    }
  }

  async #ask(count: number, avoidNodeIds: number[]): Promise<GrantedChunk[]> {
    const { masters, clock, random, owner } = this.#options;
    const value = create(GrantChunksSchema, { gateway: owner, count, avoidNodeIds });
    const askedAtMs = clock.monotonicMs();
    const scope = {
      requestId: toHex(random.bytes(16)),
      signal: new AbortController().signal,
      actor: `gateway:${owner}`,
    };
    const { outcome } = await masters.execute({ case: "grantChunks", value }, scope);
    const grant = must(outcome?.grant, "a grant's outcome holds the grant");
    const usableUntilMs = askedAtMs + Number(grant.lifetimeMs) * usableLifeShare;
    return grant.chunks.map(({ chunkId, places }) => ({ chunkId, places, usableUntilMs }));
  }
}
