import path from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./run-steps.ts";
import { addTallies, describeTally, tallyReport, type TestReport } from "./test-report.ts";

const empty: TestReport = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
};

describe("what npm test says last", () => {
  it("names each failed test with its file and the first of its words, without the runner's own frames", () => {
    const report: TestReport = {
      ...empty,
      numPassedTests: 1,
      numFailedTests: 1,
      testResults: [
        {
          name: path.join(root, "packages/raft/src/a.test.ts"),
          status: "failed",
          message: "",
          assertionResults: [
            { fullName: "a works", status: "passed" },
            {
              fullName: "a fails",
              status: "failed",
              failureMessages: ["expected 1\n    at a.test.ts:2\n    at x/node_modules/vitest/run.js:1"],
            },
          ],
        },
      ],
    };
    const tally = tallyReport(report, 1);
    expect(tally.failures).toEqual([
      "FAILED packages/raft/src/a.test.ts > a fails\n    expected 1\n        at a.test.ts:2",
    ]);
    expect(describeTally(tally)).toBe("1 passed, 1 failed, 0 skipped");
  });

  it("counts a file that cannot be loaded", () => {
    const file = { name: path.join(root, "b.test.ts"), status: "failed", message: "no such module" };
    const tally = tallyReport({ ...empty, testResults: [{ ...file, assertionResults: [] }] }, 1);
    expect(tally.failed).toBe(1);
    expect(tally.failures[0]).toContain("no such module");
  });

  it("is not green when the runner is not, and cuts long words off", () => {
    expect(tallyReport(empty, 1).failed).toBe(1);
    expect(tallyReport(empty, 0).failed).toBe(0);
    const failureMessages = [Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n")];
    const assertionResults = [{ fullName: "c", status: "failed", failureMessages }];
    const testResults = [{ name: "c.test.ts", status: "failed", message: "", assertionResults }];
    const tally = tallyReport({ ...empty, numFailedTests: 1, testResults }, 1);
    expect(tally.failures[0]).toContain("line 11\n    ... 28 more lines above");
  });

  it("adds up projects, failures in order", () => {
    const one = { passed: 1, failed: 1, skipped: 0, failures: ["a"] };
    const two = { passed: 2, failed: 1, skipped: 3, failures: ["b"] };
    expect(addTallies([one, two])).toEqual({ passed: 3, failed: 2, skipped: 3, failures: ["a", "b"] });
  });
});
