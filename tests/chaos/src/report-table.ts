import type { ChaosReport } from "./run-chaos.ts";

const mebibyte = 2 ** 20;

/** The outcome of a run for people, as a table in Markdown. */
export function tableOf(report: ChaosReport): string {
  const faults = Object.entries(report.faults).sort(([left], [right]) => (left < right ? -1 : 1));
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const repeated = Object.values(report.failedAttempts).reduce((sum, count) => sum + count, 0);
  const rows: (readonly [string, string])[] = [
    ["driver, seed", `${report.driver}, ${report.seed}`],
    ["faults injected", `${total} in ${report.durationSeconds} s`],
    ...faults.map(([kind, count]) => [`- ${kind}`, String(count)] as const),
    ["operations", `${report.operations} (longest ${(report.longestOperationMs / 1000).toFixed(1)} s)`],
    ["attempts that failed and were repeated", `${repeated} ${JSON.stringify(report.failedAttempts)}`],
    ["files read and hashed meanwhile", String(report.filesReadBack)],
    ["bytes sent, received", `${mebibytes(report.sentBytes)}, ${mebibytes(report.receivedBytes)}`],
    ["processes that ended by themselves", report.unexpectedExits.join("; ") || "none"],
  ];
  const { final } = report;
  if (final !== undefined) {
    rows.push(
      ["files at the end, all hashed", `${final.files} (${mebibytes(final.hashedBytes)})`],
      ["folders deleted for ever, all gone", String(final.foldersGone)],
      ["entries of the folder that only grows, all listed", String(final.wideEntries)],
      ["operations of the history, one order found", `${final.historyOperations} in ${final.historySteps} steps`],
      ["chunks wanted; copies on disk", `${final.chunks}; ${final.copies} (${mebibytes(final.walkedBytes)} checked)`],
      ["copies in quarantine", String(final.quarantined)],
      ["copies complete after the last fault", `${(final.healedMs / 1000).toFixed(1)} s`],
    );
  }
  rows.push(["violations", String(report.violations.length)]);
  const lines = rows.map(([what, value]) => `| ${what} | ${value} |`);
  const skipped = report.skipped.map((line) => `skipped: ${line}`);
  return ["| what | figure |", "|---|---|", ...lines, ...skipped].join("\n");
}

function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}
