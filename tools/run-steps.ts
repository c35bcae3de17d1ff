import { spawn } from "node:child_process";
import path from "node:path";

/** Root of the repository. */
export const root = path.resolve(import.meta.dirname, "..");

/** One command of a larger one. */
export interface Step {
  readonly name: string;
  readonly command: string;
  readonly parameters: readonly string[];
}

/** Runs a command with its output passed through; resolves with its exit code. */
export function runStep(step: Step): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(step.command, step.parameters, { cwd: root, stdio: "inherit" });
    child.once("error", (error) => {
      console.error(`${step.name}: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Runs all steps, also after one failed, and sums up. Resolves with the names of those that failed. */
export async function runSteps(steps: readonly Step[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const step of steps) {
    const startedAtMs = performance.now();
    const code = await runStep(step);
    if (code !== 0) failed.push(step.name);
    console.log(
      `${code === 0 ? "ok    " : "FAILED"} ${step.name} (${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s)`,
    );
  }
  return failed;
}
