import { must } from "@holdfast/base";
import type { CommittedEntry, StateMachine } from "../api.ts";
import { entryBytes, type Entry } from "../core/entries.ts";
import type { LogIndex } from "../core/types.ts";

/** What an applier needs. */
export interface ApplierOptions {
  readonly stateMachine: StateMachine;
  readonly batchEntriesMax: number;
  readonly batchBytesMax: number;
  /** After every batch, in order. */
  readonly onApplied: (throughIndex: LogIndex) => void;
  /** The state machine refused a batch; nothing is applied any more. */
  readonly onFailed: (error: unknown) => void;
}

/** Hands committed entries to the state machine in batches that never overlap, beside the loop. */
export class Applier {
  readonly #options: ApplierOptions;
  #queue: Entry[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Queues the next committed entries. */
  push(entries: readonly Entry[]): void {
    if (this.#isStopped) return;
    for (const entry of entries) this.#queue.push(entry);
    this.#running ??= this.#run();
  }

  /** Forgets what is queued and waits for the batch under way. */
  async quiesce(): Promise<void> {
    this.#queue = [];
    await this.#running;
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#isStopped) {
        const batch = this.#takeBatch();
        const throughIndex = must(batch.at(-1), "a batch holds an entry").index;
        await this.#options.stateMachine.apply(batch.flatMap(toCommitted), throughIndex);
        this.#options.onApplied(throughIndex);
      }
    } catch (error) {
      this.#isStopped = true;
      this.#options.onFailed(error);
    } finally {
      this.#running = undefined;
    }
  }

  #takeBatch(): readonly Entry[] {
    const { batchEntriesMax, batchBytesMax } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const entry of this.#queue) {
      bytes += entryBytes(entry);
      if (count > 0 && (count >= batchEntriesMax || bytes > batchBytesMax)) break;
      count++;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return batch;
  }
}

function toCommitted(entry: Entry): CommittedEntry[] {
  return entry.payload.kind === "application"
    ? [{ index: entry.index, term: entry.term, data: entry.payload.data }]
    : [];
}
