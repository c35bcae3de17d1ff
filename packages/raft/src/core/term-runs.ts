import type { Entry, TermRun } from "./entries.ts";
import type { LogIndex, Term } from "./types.ts";

/** The term of runs whose entries are missing: nobody knows theirs. */
export const unknownTerm = 0 as Term;

/** The run that holds `index`; undefined below the first run. The caller knows the log's end. */
export function runOf(runs: readonly TermRun[], index: LogIndex): TermRun | undefined {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle]?.firstIndex ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return runs[low - 1];
}

/** The runs of the log cut off from `fromIndex` on; changes the array. */
export function truncateRuns(runs: TermRun[], fromIndex: LogIndex): void {
  while (runs.length > 0 && (runs[runs.length - 1]?.firstIndex ?? 0) >= fromIndex) runs.pop();
}

/** The runs with these entries, which follow the log's end; changes the array. */
export function extendRuns(runs: TermRun[], entries: readonly Entry[]): void {
  let term = runs[runs.length - 1]?.term;
  for (const entry of entries) {
    if (entry.term === term) continue;
    runs.push({ term: entry.term, firstIndex: entry.index });
    term = entry.term;
  }
}

/** The runs of a log that ends at `lastIndex`, once these entries stand in their places and all others stay. */
export function fillRuns(runs: readonly TermRun[], entries: readonly Entry[], lastIndex: LogIndex): TermRun[] {
  const first = entries[0];
  if (first === undefined) return [...runs];
  const behind = (first.index + entries.length) as LogIndex;
  const filled = runs.filter((run) => run.firstIndex < first.index);
  extendRuns(filled, entries);
  const next = behind <= lastIndex ? runOf(runs, behind) : undefined;
  if (next !== undefined && next.term !== filled[filled.length - 1]?.term)
    filled.push({ term: next.term, firstIndex: behind });
  return [...filled, ...runs.filter((run) => run.firstIndex > behind)];
}

/** The runs without what lies below `firstIndex`, of a log that ends at `lastIndex`; changes the array. */
export function compactRuns(runs: TermRun[], firstIndex: LogIndex, lastIndex: LogIndex): void {
  if (firstIndex > lastIndex) {
    runs.length = 0;
    return;
  }
  let dropped = 0;
  while (dropped + 1 < runs.length && (runs[dropped + 1]?.firstIndex ?? 0) <= firstIndex) dropped++;
  runs.splice(0, dropped);
  const first = runs[0];
  if (first !== undefined && first.firstIndex < firstIndex) runs[0] = { term: first.term, firstIndex };
}
