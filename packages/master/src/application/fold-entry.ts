import type { CommittedEntry } from "@holdfast/raft";
import type { EventBatch } from "../domain/events.ts";
import { evolveBatch } from "../domain/evolve.ts";
import { progressTable, type ProgressRecord } from "../domain/state.ts";
import { readerOf, tablesOf, type MutableByteView, type TableReader } from "../domain/tables.ts";
import { decodeBatch } from "../event-codec/event-codec.ts";
import { emptyStateHash, nextStateHash } from "./state-hash.ts";
import { WriteBuffer } from "./write-buffer.ts";

/** Before the first entry. */
const noProgress: ProgressRecord = {
  appliedIndex: 0,
  atMs: 0,
  stateHash: emptyStateHash,
  leadTerm: 0,
  leadSequence: 0,
};

/** Where the tables stand. */
export function readProgress(tables: TableReader): ProgressRecord {
  return tables.get(progressTable, []) ?? noProgress;
}

/** An entry after it was folded. */
export interface FoldedEntry {
  readonly batch: EventBatch;
  /** Where the tables stood before it. */
  readonly before: ProgressRecord;
  /** Its predecessor is not in the log: nothing of it counts. */
  readonly isVoid: boolean;
}

/**
 * Folds one committed entry with its progress into a view. A batch that is not the next one of its leader's term was
 * decided on a batch that was never appended (the log was full for that one only); on every master it changes nothing.
 * Errors: see `decodeBatch`; the caller halts and nothing was written.
 */
export function foldEntry(view: MutableByteView, entry: CommittedEntry): FoldedEntry {
  const batch = decodeBatch(entry.data);
  const before = readProgress(readerOf(view));
  const expected = before.leadTerm === entry.term ? before.leadSequence + 1 : 1;
  const isVoid = batch.sequence !== expected;
  const buffer = new WriteBuffer(view);
  if (!isVoid) evolveBatch(tablesOf(buffer), batch, { index: entry.index, atMs: batch.atMs, actor: batch.actor });
  const stateHash = nextStateHash(before.stateHash, entry.index, buffer.changes());
  buffer.copyTo(view);
  tablesOf(view).set(progressTable, [], {
    appliedIndex: entry.index,
    atMs: isVoid ? before.atMs : batch.atMs,
    stateHash,
    leadTerm: isVoid ? before.leadTerm : entry.term,
    leadSequence: isVoid ? before.leadSequence : batch.sequence,
  });
  return { batch, before, isVoid };
}
