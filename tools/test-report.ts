import path from "node:path";
import { root } from "./run-steps.ts";

/** What one project of vitest.config.ts, or all together, came to. */
export interface TestTally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One text per failure: file, name, and the first lines of what was said. */
  readonly failures: readonly string[];
}

/** The part of vitest's JSON report that is read here. */
export interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

const linesMax = 12;

/** Counts a report. A file that cannot be loaded has no failed test of its own and counts as one; so does an exit code alone. */
export function tallyReport(report: TestReport, exitCode: number): TestTally {
  const failures: string[] = [];
  for (const file of report.testResults) {
    const name = path.relative(root, file.name);
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    for (const test of failed) failures.push(failure(`${name} > ${test.fullName}`, test.failureMessages?.[0] ?? ""));
    if (file.status === "failed" && failed.length === 0) failures.push(failure(name, file.message));
  }
  if (failures.length === 0 && exitCode !== 0) failures.push(`vitest ended with exit code ${exitCode}, see above`);
  return {
    passed: report.numPassedTests,
    failed: Math.max(failures.length, report.numFailedTests),
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
}

/** Adds up. */
export function addTallies(tallies: readonly TestTally[]): TestTally {
  return tallies.reduce(
    (sum, tally) => ({
      passed: sum.passed + tally.passed,
      failed: sum.failed + tally.failed,
      skipped: sum.skipped + tally.skipped,
      failures: [...sum.failures, ...tally.failures],
    }),
    { passed: 0, failed: 0, skipped: 0, failures: [] },
  );
}

/** The count in words. */
export function describeTally(tally: TestTally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}

function failure(name: string, message: string): string {
  const lines = message.split("\n").filter((line) => !line.includes("node_modules"));
  const kept = lines.slice(0, linesMax).map((line) => `    ${line}`);
  if (lines.length > linesMax) kept.push(`    ... ${lines.length - linesMax} more lines above`);
  return [`FAILED ${name}`, ...kept].join("\n");
}
