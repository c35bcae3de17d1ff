import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Disk, Timer, Timers } from "@holdfast/runtime";
import type { DiskState } from "./chunk-store.ts";

/** Share of the capacity at which new chunks are refused. */
export const fullShare = 0.95;

/** What the watch over a disk works with. */
export interface DiskHealthOptions {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly dataDirectory: string;
  /** Bytes chunk files may use at most; undefined = whatever the file system has. */
  readonly capacityBytesMax: number | undefined;
  readonly spaceCheckIntervalMs: number;
  /** Bytes of chunk files now. */
  readonly usedBytes: () => number;
  /** Told once, when the disk fails. */
  readonly onFailed?: () => void;
}

/** Room and state of one disk. Once a sync failed it stays "failed" for as long as the process lives. */
export class DiskHealth {
  readonly #options: DiskHealthOptions;
  #timer: Timer | undefined;
  #capacityBytes = 0;
  #reservedBytes = 0;
  #hasFailed = false;
  #wasRefusedRoom = false;

  constructor(options: DiskHealthOptions) {
    this.#options = options;
  }

  /** Looks for the first time and from then on at every interval. Errors: those of `Disk.space`. */
  async start(): Promise<void> {
    await this.#refresh();
    this.#timer = this.#options.timers.every(this.#options.spaceCheckIntervalMs, () => {
      this.#refresh().catch((error: unknown) => {
        this.#options.logger.warn("chunkserver.space_check_failed", { reason: String(error) });
      });
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get state(): DiskState {
    if (this.#hasFailed) return "failed";
    return this.#wasRefusedRoom || this.#isOver(1) ? "full" : "ok";
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.#capacityBytes - this.#options.usedBytes() - this.#reservedBytes);
  }

  /** Sets room aside for a write. The answer gives it back (idempotent). Errors: diskFailed, noSpace. */
  reserve(lengthBytes: number): () => void {
    this.assertWorking();
    if (this.#wasRefusedRoom || this.#isOver(lengthBytes)) {
      throw new HoldfastError("noSpace", "This node's disk is full; nothing was written. Use another node.");
    }
    this.#reservedBytes += lengthBytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#reservedBytes -= lengthBytes;
      isHeld = false;
    };
  }

  /** Errors: diskFailed after a failed sync. */
  assertWorking(): void {
    if (!this.#hasFailed) return;
    throw new HoldfastError("diskFailed", "This node's disk failed; it takes no new chunks. Use another node.");
  }

  /** A step failed: remembers what that says about the disk. Answers the error to throw. */
  noteFailure(error: unknown, step: "read" | "write" | "sync"): unknown {
    if (isHoldfastError(error, "noSpace")) {
      this.#wasRefusedRoom = true;
      this.#options.logger.warn("chunkserver.disk_full", { step });
    } else if (step === "sync" || isHoldfastError(error, "diskFailed")) {
      if (this.#hasFailed) return error;
      this.#hasFailed = true;
      const { logger, dataDirectory, onFailed } = this.#options;
      logger.error("chunkserver.disk_failed", { directory: dataDirectory, step, reason: String(error) });
      onFailed?.();
    }
    return error;
  }

  async #refresh(): Promise<void> {
    const space = await this.#options.disk.space(this.#options.dataDirectory);
    const availableBytes = this.#options.usedBytes() + space.freeBytes;
    this.#capacityBytes = Math.min(availableBytes, this.#options.capacityBytesMax ?? availableBytes);
    this.#wasRefusedRoom &&= this.#isOver(1);
  }

  #isOver(extraBytes: number): boolean {
    return this.#options.usedBytes() + this.#reservedBytes + extraBytes > fullShare * this.#capacityBytes;
  }
}
