import type { Logger } from "@holdfast/observability";
import { isHoldfastError } from "@holdfast/base";
import type { Clock, Disk, Timer, Timers } from "@holdfast/runtime";

/** What the trash works with. */
export interface ChunkTrashOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly folder: string;
  /** Ms between a trim and the unlinking. Counted anew after a restart. */
  readonly retentionMs: number;
}

/** Copies that a master ordered away and that are still there for a while, in case the order was a mistake. */
export class ChunkTrash {
  readonly #options: ChunkTrashOptions;
  /** In order of the time they are due. */
  readonly #due: { readonly name: string; readonly atMs: number }[] = [];
  #timer: Timer | undefined;
  #isSweeping = false;

  constructor(options: ChunkTrashOptions) {
    this.#options = options;
  }

  /** Finds what is there from before. Errors: those of the disk. */
  async start(): Promise<void> {
    for (const name of await this.#options.disk.list(this.#options.folder)) this.noteAdded(name);
    const intervalMs = Math.max(1000, this.#options.retentionMs / 10);
    this.#timer = this.#options.timers.every(intervalMs, () => void this.sweep());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** A file came into the folder. */
  noteAdded(name: string): void {
    this.#due.push({ name, atMs: this.#options.clock.monotonicMs() + this.#options.retentionMs });
  }

  /** Unlinks what is due. Never rejects: what could not be unlinked is logged and stays until the next start. */
  async sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const { disk, clock, logger, folder } = this.#options;
    for (let first = this.#due[0]; first !== undefined && first.atMs <= clock.monotonicMs(); first = this.#due[0]) {
      this.#due.shift();
      try {
        await disk.remove(`${folder}/${first.name}`);
      } catch (error) {
        if (!isHoldfastError(error, "notFound")) {
          logger.warn("chunkserver.unlink_failed", { name: first.name, reason: String(error) });
        }
      }
    }
    this.#isSweeping = false;
  }
}
