import type { LogIndex } from "./types.ts";

/** Entries `from` to `to`, both included. */
export interface IndexRange {
  readonly from: LogIndex;
  readonly to: LogIndex;
}

/** A set of indexes: ranges ascending, not empty, with something between any two. */
export type IndexRanges = readonly IndexRange[];

/** How many indexes are in it. */
export function countOf(ranges: IndexRanges): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** With this range too, which lies behind all of them. */
export function addedBehind(ranges: IndexRanges, added: IndexRange): IndexRanges {
  if (added.from > added.to) return ranges;
  const last = ranges[ranges.length - 1];
  if (last === undefined || last.to + 1 < added.from) return [...ranges, added];
  return [...ranges.slice(0, -1), { from: last.from, to: added.to }];
}

/** Without the indexes from `removed.from` to `removed.to`. */
export function without(ranges: IndexRanges, removed: { readonly from: number; readonly to: number }): IndexRanges {
  if (ranges.length === 0) return ranges;
  return ranges.flatMap(({ from, to }) => {
    if (to < removed.from || from > removed.to) return [{ from, to }];
    const parts: IndexRange[] = [];
    if (from < removed.from) parts.push({ from, to: (removed.from - 1) as LogIndex });
    if (to > removed.to) parts.push({ from: (removed.to + 1) as LogIndex, to });
    return parts;
  });
}

/** Which of the indexes `wanted` are in it. */
export function common(ranges: IndexRanges, wanted: IndexRange): IndexRanges {
  return ranges.flatMap((range) => {
    const from = Math.max(range.from, wanted.from) as LogIndex;
    const to = Math.min(range.to, wanted.to) as LogIndex;
    return from <= to ? [{ from, to }] : [];
  });
}
