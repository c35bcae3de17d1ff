import { describe, expect, it } from "vitest";
import { emptyMembership } from "../../src/core/entries.ts";
import { LogView } from "../../src/core/log-view.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { entryOf, idOf } from "./single-core.ts";

/** etcd's log_test, log_unstable_test and storage_test, as far as our log has the same question; names in brackets. */

const index = (value: number): LogIndex => value as LogIndex;

/** A log with these terms after a compacted start. */
function logOf(terms: readonly number[], at: { start?: number; startTerm?: number; committed?: number } = {}): LogView {
  const start = at.start ?? 0;
  const entries = terms.map((term, place) => entryOf(term, start + place + 1));
  const log = new LogView({
    hardState: { term: 9 as Term, vote: 0 as PeerId, commit: index(start) },
    logStart: { ...idOf(at.startTerm ?? 0, start), membership: emptyMembership },
    termRuns: [],
    lastIndex: index(start),
    configurationEntries: [],
    window: [],
    appliedIndex: index(start),
  });
  log.write(entries);
  log.committed = index(at.committed ?? start);
  return log;
}

const termsOf = (log: LogView): (number | undefined)[] =>
  Array.from({ length: log.lastIndex - log.start.index }, (_, place) => log.termAt(index(log.start.index + place + 1)));

describe("a log", () => {
  it.each([
    { entries: [], from: 1, conflict: undefined },
    { entries: [1, 2, 3], from: 1, conflict: undefined },
    { entries: [2, 3], from: 2, conflict: undefined },
    { entries: [3], from: 3, conflict: undefined },
    { entries: [1, 2, 3, 4, 4], from: 1, conflict: 4 },
    { entries: [2, 3, 4, 4], from: 2, conflict: 4 },
    { entries: [4, 4], from: 4, conflict: 4 },
    { entries: [4, 4], from: 1, conflict: 1 },
    { entries: [1, 4, 4], from: 2, conflict: 2 },
    { entries: [1, 2, 4, 4], from: 3, conflict: 3 },
  ])("of [1, 2, 3] has $entries from $from, but for $conflict (FindConflict)", ({ entries, from, conflict }) => {
    const found = logOf([1, 2, 3]).findNew(entries.map((term, place) => entryOf(term, from + place)));
    expect(found?.index).toBe(conflict);
  });

  it.each([
    { terms: [2, 2, 5, 5, 5], at: 105, term: 5, found: 105 },
    { terms: [2, 2, 5, 5, 5], at: 105, term: 4, found: 102 },
    { terms: [2, 2, 5, 5, 5], at: 102, term: 3, found: 102 },
    { terms: [2, 2, 5, 5, 5], at: 105, term: 1, found: 100 },
    { terms: [2, 2, 5, 5, 5], at: 99, term: 3, found: 99 },
    { terms: [2, 2, 5, 5, 5], at: 120, term: 6, found: 120 },
  ])(
    "of $terms after 100/1 may agree with term $term up to $at at $found (FindConflictByTerm)",
    ({ terms, at, term, found }) => {
      expect(logOf(terms, { start: 100, startTerm: 1 }).findAgreement(index(at), term as Term).index).toBe(found);
    },
  );

  it.each([
    { last: idOf(4, 2), is: true },
    { last: idOf(4, 3), is: true },
    { last: idOf(4, 4), is: true },
    { last: idOf(2, 2), is: false },
    { last: idOf(2, 4), is: false },
    { last: idOf(3, 2), is: false },
    { last: idOf(3, 3), is: true },
    { last: idOf(3, 4), is: true },
  ])("of [1, 2, 3] takes $last for up to date: $is (IsUpToDate)", ({ last, is }) => {
    expect(logOf([1, 2, 3]).isUpToDate(last)).toBe(is);
  });

  it.each([
    { added: [], from: 3, terms: [1, 2], firstNew: 3 },
    { added: [2], from: 3, terms: [1, 2, 2], firstNew: 3 },
    { added: [2], from: 1, terms: [2], firstNew: 1 },
    { added: [3, 3], from: 2, terms: [1, 3, 3], firstNew: 2 },
  ])("takes $added at $from: $terms is left, to be written from $firstNew on (Append, TruncateAndAppend)", (shape) => {
    const log = logOf([1, 2]);
    log.persisting = index(2);
    log.markDurable(idOf(2, 2));
    log.write(shape.added.map((term, place) => entryOf(term, shape.from + place)));
    expect(termsOf(log)).toEqual(shape.terms);
    expect([log.durable + 1, log.persisting + 1]).toEqual([shape.firstNew, shape.firstNew]);
  });

  it.each([
    { id: idOf(2, 2), durable: 2 },
    { id: idOf(1, 1), durable: 1 },
    { id: idOf(1, 2), durable: 0 },
    { id: idOf(2, 3), durable: 0 },
    { id: idOf(1, 0), durable: 0 },
  ])("of [1, 2] with $id on disk is durable to $durable (StableTo, UnstableStableTo)", ({ id, durable }) => {
    const log = logOf([1, 2]);
    log.markDurable(id);
    expect(log.durable).toBe(durable);
  });

  it("does not go back to what a snapshot covers (StableToWithSnap, UnstableRestore)", () => {
    const log = logOf([1, 2]);
    log.restore({ ...idOf(3, 10), membership: emptyMembership });
    expect(log).toMatchObject({ lastIndex: 10, committed: 10, durable: 10, firstIndex: 11 });
    log.markDurable(idOf(2, 2));
    expect(log.durable).toBe(10);
    log.write([entryOf(4, 11)]);
    expect(log.hasUndurable).toBe(true);
    log.markDurable(idOf(4, 11));
    expect(log.durable).toBe(11);
  });

  it.each([
    { through: 3, first: 4, left: 2 },
    { through: 1, first: 2, left: 4 },
    { through: 5, first: 6, left: 0 },
  ])(
    "compacted through $through begins at $first and keeps $left (Compaction, CompactionSideEffects, StorageCompact)",
    (shape) => {
      const log = logOf([1, 1, 2, 2, 2], { committed: 5 });
      log.applied = index(5);
      const id = idOf(shape.through < 3 ? 1 : 2, shape.through);
      log.compact(id);
      expect([log.firstIndex, log.lastIndex - log.start.index]).toEqual([shape.first, shape.left]);
      expect(log.termAt(index(shape.through))).toBe(id.term);
      expect(log.termAt(index(shape.through - 1))).toBe(undefined);
      // It goes on as before.
      log.write([entryOf(3, 6)]);
      expect(log.last).toEqual(idOf(3, 6));
    },
  );

  it.each([
    { at: 99, term: undefined },
    { at: 100, term: 1 },
    { at: 101, term: 2 },
    { at: 103, term: 5 },
    { at: 104, term: undefined },
  ])("of [2, 2, 5] after 100/1 has term $term at $at (Term, TermWithUnstableSnapshot, StorageTerm)", ({ at, term }) => {
    expect(logOf([2, 2, 5], { start: 100, startTerm: 1 }).termAt(index(at))).toBe(term);
  });

  it.each([
    { from: 101, to: 101, bytesMax: 1e9, count: 1 },
    { from: 101, to: 105, bytesMax: 1e9, count: 5 },
    { from: 101, to: 105, bytesMax: 0, count: 1 },
    { from: 103, to: 105, bytesMax: 13, count: 2 },
    { from: 105, to: 105, bytesMax: 0, count: 1 },
  ])("gives $count entries from $from to $to within $bytesMax bytes (Slice, StorageEntries)", (shape) => {
    const log = logOf([2, 2, 2, 2, 2], { start: 100, startTerm: 1 });
    const read = log.read({ fromIndex: index(shape.from), toIndex: index(shape.to), bytesMax: shape.bytesMax });
    expect(read?.map((entry) => entry.index)).toEqual(
      Array.from({ length: shape.count }, (_, place) => shape.from + place),
    );
  });

  it("never cuts off what is committed (LogMaybeAppend: a conflict below the commit index is a bug)", () => {
    expect(() => logOf([1, 2, 3], { committed: 2 }).write([entryOf(4, 2)])).toThrow("committed entries stay");
    expect(() => logOf([1, 2, 3]).write([entryOf(4, 5)])).toThrow("no gaps");
  });
});
