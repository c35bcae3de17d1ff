import { assert } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { CommittedEntry, LogIndex, SnapshotSupport, StateMachine } from "@holdfast/raft";
import type { KeyValueStore } from "@holdfast/runtime";
import type { EventBatch } from "../domain/events.ts";
import { progressTable } from "../domain/state.ts";
import { readerOf, tablesOf } from "../domain/tables.ts";
import type { StateHashes } from "./state-hashes.ts";
import { foldEntry, readProgress } from "./fold-entry.ts";
import type { Replacement } from "./projections-store.ts";
import { stateSnapshots } from "./state-snapshots.ts";
import type { AppliedListener } from "./submission.ts";
import { WriteBuffer } from "./write-buffer.ts";

/** Entries and bytes folded before the changes go to the store, so that other work gets its turn. */
const stepEntriesMax = 256;
const stepBytesMax = 4 * 2 ** 20;
/** Void entries that are remembered for their proposers. */
const voidsMax = 10_000;

/** What the projections state machine works with. */
export interface ProjectionsOptions {
  /** Holds the tables; nobody else writes to it. */
  readonly store: KeyValueStore;
  readonly logger: Logger;
  /** Called in this order for every batch, before the changes reach the store; may add rows of projections. */
  readonly projections?: readonly Projection[];
  /** Told what the tables came to, for comparing masters. */
  readonly hashes?: StateHashes;
  /** How the whole state is replaced by another master's; without, this master cannot take snapshots. */
  readonly replacing?: {
    readonly begin: () => Promise<Replacement>;
    /** Forgets everything that is kept in front of the store. */
    readonly forget: () => void;
  };
}

/** Called when the state was replaced as a whole: what lay between was not told. */
export type ReplacedListener = (index: number) => void;

/** A projection that `evolve` does not know: folds applied batches into rows of its own tags (0x60 to 0x7f). */
export type Projection = (view: WriteBuffer, applied: { readonly index: number; readonly batch: EventBatch }) => void;

/**
 * The projections, driven by Raft: folds committed entries in order, each atomically with its index and the state hash.
 * Not durable until `flush`: what a power cut takes is folded again from the log.
 */
export class ProjectionsStateMachine implements StateMachine {
  private readonly options: ProjectionsOptions;
  private readonly listeners = new Set<AppliedListener>();
  private readonly replacedListeners = new Set<ReplacedListener>();
  private readonly voids = new Set<number>();
  readonly snapshots?: SnapshotSupport;
  private applied: LogIndex;

  constructor(options: ProjectionsOptions) {
    this.options = options;
    this.applied = readProgress(readerOf(options.store)).appliedIndex as LogIndex;
    const { store, replacing } = options;
    if (replacing === undefined) return;
    this.snapshots = stateSnapshots({
      store,
      replace: replacing.begin,
      onSwap: (index) => {
        replacing.forget();
        this.applied = index;
        this.voids.clear();
        for (const listener of this.replacedListeners) listener(index);
      },
    });
  }

  appliedIndex(): LogIndex {
    return this.applied;
  }

  /** Hash over everything folded, and the index up to which it is: a pair that belongs together. */
  foldedState(): { readonly index: number; readonly stateHash: Uint8Array } {
    const { appliedIndex, stateHash } = readProgress(readerOf(this.options.store));
    return { index: appliedIndex, stateHash };
  }

  /** Whether the entry, applied by this process, changed nothing because its predecessor is missing. */
  isVoid(index: number): boolean {
    return this.voids.has(index);
  }

  /** Calls back for every batch as it is applied; returns how to stop. */
  onApplied(listener: AppliedListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when another master's state took the place of this one; returns how to stop. */
  onReplaced(listener: ReplacedListener): () => void {
    this.replacedListeners.add(listener);
    return () => this.replacedListeners.delete(listener);
  }

  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    let start = 0;
    while (start < entries.length) {
      const { buffer, end } = this.foldStep(entries, start);
      const last = entries[end - 1];
      assert(last !== undefined, "a step folds at least one entry");
      start = end;
      if (start === entries.length) this.passTo(buffer, throughIndex);
      await this.commit(buffer, start === entries.length ? throughIndex : last.index);
    }
    if (entries.length === 0 && throughIndex > this.applied) {
      const buffer = new WriteBuffer(this.options.store);
      this.passTo(buffer, throughIndex);
      await this.commit(buffer, throughIndex);
    }
  }

  async flush(): Promise<void> {
    await this.options.store.write([], { isDurable: true });
  }

  /** Synchronous from the first read to the hand-over to the store: nobody sees half of a step. */
  private foldStep(
    entries: readonly CommittedEntry[],
    start: number,
  ): { readonly buffer: WriteBuffer; readonly end: number } {
    const buffer = new WriteBuffer(this.options.store);
    let end = start;
    while (end < entries.length && end - start < stepEntriesMax && buffer.sizeBytes() < stepBytesMax) {
      const entry = entries[end];
      assert(entry !== undefined, "a position inside the entries");
      assert(entry.index > this.applied, "an entry is folded once");
      this.foldOne(buffer, entry);
      end += 1;
    }
    return { buffer, end };
  }

  private foldOne(buffer: WriteBuffer, entry: CommittedEntry): void {
    const { batch, before, isVoid } = foldEntry(buffer, entry);
    this.options.hashes?.note(before, entry.index);
    if (isVoid) {
      this.rememberVoid(entry.index);
      this.options.logger.warn("master.batch_void", { index: entry.index, term: entry.term, actor: batch.actor });
      return;
    }
    for (const projection of this.options.projections ?? []) projection(buffer, { index: entry.index, batch });
    const { atMs, actor, events } = batch;
    const tables = readerOf(buffer);
    for (const listener of this.listeners) listener({ index: entry.index, atMs, actor, events, tables });
  }

  /** Entries without application data at the end count as applied, too. */
  private passTo(buffer: WriteBuffer, throughIndex: LogIndex): void {
    const progress = readProgress(readerOf(buffer));
    assert(throughIndex >= progress.appliedIndex, "the applied index never goes back");
    if (throughIndex === progress.appliedIndex) return;
    this.options.hashes?.note(progress, throughIndex + 1);
    tablesOf(buffer).set(progressTable, [], { ...progress, appliedIndex: throughIndex });
  }

  private async commit(buffer: WriteBuffer, index: LogIndex): Promise<void> {
    const written = this.options.store.write(buffer.changes());
    this.applied = index;
    await written;
  }

  private rememberVoid(index: number): void {
    this.voids.add(index);
    if (this.voids.size <= voidsMax) return;
    for (const oldest of this.voids) {
      this.voids.delete(oldest);
      return;
    }
  }
}
