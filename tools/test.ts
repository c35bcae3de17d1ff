import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensurePageBuilt } from "../packages/supervisor/src/page-build.ts";
import { root, runStep } from "./run-steps.ts";

/** In this order: the quick ones first, so that a plain mistake is seen at once. */
const projects = ["unit", "io", "sim", "process", "browser"];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

/** Runs one project of vitest.config.ts; words after the command name narrow it down as vitest does. */
async function runProject(project: string, folder: string, filters: readonly string[]): Promise<Counts> {
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
  if (!existsSync(report)) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const parsed = JSON.parse(await readFile(report, "utf8")) as JsonReport;
  // A file that cannot be loaded fails without a failed test; it must not look green.
  const failed = parsed.numFailedTests > 0 || code === 0 ? parsed.numFailedTests : 1;
  return { passed: parsed.numPassedTests, failed, skipped: parsed.numPendingTests + parsed.numTodoTests };
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const chosen = projects.filter((project) => words.includes(`--${project}`));
  const filters = words.filter((word) => !word.startsWith("--"));
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-test-"));
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    await ensurePageBuilt(root, process.execPath);
    for (const project of chosen.length > 0 ? chosen : projects) {
      const startedAtMs = performance.now();
      const counts = await runProject(project, folder, filters);
      console.log(
        `${project}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s`,
      );
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exitCode = await main();
