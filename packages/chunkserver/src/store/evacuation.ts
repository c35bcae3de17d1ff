import { isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Timers } from "@holdfast/runtime";
import type { ChunkKey, ChunkWrite, HeldChunk } from "./chunk-store.ts";
import type { FileChunkStore } from "./file-chunk-store.ts";

/** What moving copies away from a failed disk works with. */
export interface EvacuationOptions {
  readonly timers: Timers;
  readonly logger: Logger;
  /** On the failed disk. */
  readonly source: FileChunkStore;
  /** Whether a working disk of this node has the copy. */
  readonly isElsewhere: (key: ChunkKey) => boolean;
  /** On a working disk. Errors: noSpace, diskFailed (none works), tooBusy. */
  readonly beginWrite: (chunk: HeldChunk) => Promise<ChunkWrite>;
  /** Told of copies that cannot be read any more. */
  readonly onLost: (chunk: HeldChunk) => void;
}

/** Before it is tried again when the other disks have no room or too much to do. */
const retryMs = 10_000;
/** Between two copies, so that others come in between. */
const restMs = 5;

type Outcome = "done" | "lost" | "later";

/** Copies what a failed disk still gives to the node's other disks. Copies are served from it until they are elsewhere. */
export class Evacuation {
  readonly #options: EvacuationOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: EvacuationOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { source, timers, logger } = this.#options;
    const { signal } = this.#stopping;
    const counts = { done: 0, lost: 0, later: 0 };
    try {
      for (let waiting = [...source.held()]; waiting.length > 0; waiting = [...source.held()]) {
        counts.later = 0;
        for (const chunk of waiting) {
          counts[await this.#move(chunk)]++;
          await timers.sleep(restMs, signal);
        }
        if (counts.later > 0) {
          logger.warn("chunkserver.evacuation_waits", { ...counts });
          await timers.sleep(retryMs, signal);
        }
      }
      logger.warn("chunkserver.evacuation_ended", { done: counts.done, lost: counts.lost });
    } catch (error) {
      if (!isHoldfastError(error, "cancelled"))
        logger.error("chunkserver.evacuation_failed", { reason: String(error) });
    }
  }

  async #move(chunk: HeldChunk): Promise<Outcome> {
    const { source, isElsewhere, onLost } = this.#options;
    if (!source.has(chunk)) return "done";
    if (isElsewhere(chunk)) {
      source.withdraw(chunk);
      return "done";
    }
    const outcome = await this.#copy(chunk);
    if (outcome === "later") return outcome;
    source.withdraw(chunk);
    if (outcome === "lost") onLost(chunk);
    return outcome;
  }

  async #copy(chunk: HeldChunk): Promise<Outcome> {
    const { source, beginWrite } = this.#options;
    let isReading = true;
    let write: ChunkWrite | undefined;
    try {
      const facts = await source.facts(chunk);
      if (facts === undefined) return "done";
      isReading = false;
      write = await beginWrite(chunk);
      isReading = true;
      for await (const piece of source.read({ ...chunk, offsetBytes: 0, lengthBytes: undefined })) {
        isReading = false;
        await write.append(piece);
        isReading = true;
      }
      isReading = false;
      await write.commit(facts.sha256);
      return "done";
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      // What is damaged was reported by the store itself.
      if (error.kind === "dataLoss" || error.kind === "notFound") return "done";
      return isReading && error.kind === "diskFailed" ? "lost" : "later";
    } finally {
      await write?.abort();
    }
  }
}
