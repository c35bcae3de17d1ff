import type { Clock } from "@holdfast/runtime";
import type {
  ChunkFacts,
  ChunkKey,
  ChunkRange,
  ChunkStore,
  ChunkWrite,
  HeldChunk,
  StoreStatus,
} from "../store/chunk-store.ts";
import type { LatencyMeter } from "./latency-meter.ts";

/**
 * A store whose reads and writes are timed. What counts of a write is how long the disk kept it waiting, not how long its
 * sender took: a slow client does not make a node look slow.
 */
export class MeasuredStore implements ChunkStore {
  readonly #store: ChunkStore;
  readonly #meter: LatencyMeter;
  readonly #clock: Clock;
  readonly #isTimed: boolean;

  /** `isTimed` false: only bytes are counted, for copying between nodes. */
  constructor(
    store: ChunkStore,
    {
      meter,
      clock,
      isTimed = true,
    }: { readonly meter: LatencyMeter; readonly clock: Clock; readonly isTimed?: boolean },
  ) {
    this.#store = store;
    this.#meter = meter;
    this.#clock = clock;
    this.#isTimed = isTimed;
  }

  async beginWrite(chunk: HeldChunk): Promise<ChunkWrite> {
    const write = await this.#store.beginWrite(chunk);
    const meter = this.#meter;
    const isTimed = this.#isTimed;
    let waitedMs = 0;
    const timed = async <T>(step: () => Promise<T>): Promise<T> => {
      const beganMs = this.#clock.monotonicMs();
      try {
        return await step();
      } finally {
        waitedMs += this.#clock.monotonicMs() - beganMs;
      }
    };
    return {
      async append(bytes) {
        await timed(() => write.append(bytes));
        meter.addWrittenBytes(bytes.length);
      },
      async commit(sha256) {
        await timed(() => write.commit(sha256));
        if (isTimed) meter.noteWrite(waitedMs);
      },
      abort: () => write.abort(),
    };
  }

  async *read(range: ChunkRange): AsyncGenerator<Uint8Array, void, undefined> {
    const beganMs = this.#clock.monotonicMs();
    let isFirst = true;
    for await (const piece of this.#store.read(range)) {
      if (isFirst && this.#isTimed) this.#meter.noteRead(this.#clock.monotonicMs() - beganMs);
      isFirst = false;
      this.#meter.addReadBytes(piece.length);
      yield piece;
    }
  }

  facts(key: ChunkKey): Promise<ChunkFacts | undefined> {
    return this.#store.facts(key);
  }

  has(key: ChunkKey): boolean {
    return this.#store.has(key);
  }

  verify(key: ChunkKey): Promise<boolean> {
    return this.#store.verify(key);
  }

  trim(key: ChunkKey, term: number): Promise<void> {
    return this.#store.trim(key, term);
  }

  bucketDigests(): readonly number[] {
    return this.#store.bucketDigests();
  }

  listBucket(bucket: number): readonly HeldChunk[] {
    return this.#store.listBucket(bucket);
  }

  status(): StoreStatus {
    return this.#store.status();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
