import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensurePageBuilt } from "../packages/supervisor/src/page-build.ts";
import { root, runStep } from "./run-steps.ts";
import { addTallies, describeTally, tallyReport, type TestReport, type TestTally } from "./test-report.ts";

/** In this order: the quick ones first, so that a plain mistake is seen at once. */
const projects = ["unit", "io", "sim", "process", "browser"];

/** Runs one project of vitest.config.ts; words after the command name narrow it down as vitest does. */
async function runProject(project: string, folder: string, filters: readonly string[]): Promise<TestTally> {
  const report = path.join(folder, `${project}.json`);
  const code = await runStep({
    name: project,
    command: "vitest",
    parameters: [
      "run",
      "--project",
      project,
      "--passWithNoTests",
      "--reporter",
      "default",
      "--reporter",
      "json",
      "--outputFile",
      report,
      ...filters,
    ],
  });
  if (!existsSync(report)) {
    // No report and exit code 0: no test matched the filters.
    const failures =
      code === 0 ? [] : [`FAILED ${project}: vitest ended with exit code ${code} and no report, see above`];
    return { passed: 0, failed: failures.length, skipped: 0, failures };
  }
  return tallyReport(JSON.parse(await readFile(report, "utf8")) as TestReport, code);
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const chosen = projects.filter((project) => words.includes(`--${project}`));
  const filters = words.filter((word) => !word.startsWith("--"));
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-test-"));
  const tallies: TestTally[] = [];
  try {
    await ensurePageBuilt(root, process.execPath);
    for (const project of chosen.length > 0 ? chosen : projects) {
      const startedAtMs = performance.now();
      const tally = await runProject(project, folder, filters);
      const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
      console.log(`${project}: ${describeTally(tally)} in ${seconds} s`);
      tallies.push(tally);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const total = addTallies(tallies);
  // Said again at the end: of a long output people and CI keep the last lines.
  for (const failure of total.failures) console.log(failure);
  console.log(describeTally(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exitCode = await main();
