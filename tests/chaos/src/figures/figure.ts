/** One row of a table of figures. */
export interface Figure {
  readonly what: string;
  readonly value: string;
}

/** What a command that measures came to. */
export interface FigureReport {
  readonly figures: readonly Figure[];
  /** What must not have happened. */
  readonly violations: readonly string[];
}

/** Nearest-rank percentile; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** "p50 12, p99 34, max 56 ms (789)". */
export function spread(durationsMs: readonly number[]): string {
  const at = (share: number): string => percentile(durationsMs, share).toFixed(0);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms (${durationsMs.length})`;
}

/** Violations that are told in full. */
const shownMax = 20;

export function figureTable(report: FigureReport): string {
  const { violations } = report;
  const more = violations.length > shownMax ? [`and ${violations.length - shownMax} more`] : [];
  const said = [...violations.slice(0, shownMax), ...more].join("; ");
  const rows = report.figures.map(({ what, value }) => `| ${what} | ${value} |`);
  return ["| what | figure |", "|---|---|", ...rows, `| violations | ${said || "none"} |`].join("\n");
}
