import type { RecordedChange } from "./change-codec.ts";
import type { LogBoot } from "./log-store.ts";

/** The log's last entry, or its start when it has none. */
export interface LogTip {
  readonly index: number;
  readonly term: number;
}

/** Where a log ended when it was opened. */
export function tipAtBoot({ lastIndex, logStart, termRuns, missing }: LogBoot): LogTip {
  if (lastIndex === logStart.index) return { index: lastIndex, term: logStart.term };
  const isEndMissing = missing?.ranges.at(-1)?.to === lastIndex;
  return { index: lastIndex, term: isEndMissing ? missing.lastTerm : (termRuns.at(-1)?.term ?? 0) };
}

/** Where it ends after a change. */
export function tipAfter(tip: LogTip, change: RecordedChange): LogTip {
  const start = change.start;
  const isStartLast = start !== undefined && (start.entries === "drop" || start.meta.index >= tip.index);
  const begun = isStartLast ? { index: start.meta.index, term: start.meta.term } : tip;
  const last = change.isRepair === true ? undefined : change.entries.at(-1);
  return last === undefined ? begun : { index: last.index, term: last.term };
}
