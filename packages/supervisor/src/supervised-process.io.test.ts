import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SupervisedProcess } from "./supervised-process.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "holdfast-supervised-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** A process that says why it fails, and ends with a code. */
async function failing(code: number): Promise<{ readonly process: SupervisedProcess; readonly reports: string[] }> {
  const script = path.join(folder, "main.ts");
  await writeFile(
    script,
    `process.stderr.write("holdfast-x failed: The accounts file /u.json is not valid.\\n"); process.exit(${code});`,
  );
  const reports: string[] = [];
  const plan = { name: "x-1", script, nodeFlags: [], parameters: [], environment: {} };
  const options = { runPath: folder, nodePath: process.execPath, isRestarted: true };
  return {
    process: new SupervisedProcess(plan, { ...options, report: (line) => void reports.push(line) }),
    reports,
  };
}

test("a process whose settings are wrong is left alone, with its own words", async () => {
  const { process: supervised, reports } = await failing(2);
  supervised.start();
  await vi.waitFor(() => expect(supervised.settingsFault).not.toBe(""), { timeout: 20_000 });
  expect(supervised.settingsFault).toBe("The accounts file /u.json is not valid.");
  expect(supervised.state).toBe("stopped");
  expect(reports).toEqual(["x-1 cannot start: The accounts file /u.json is not valid."]);
  await supervised.stop(100);
});

test("one that failed for another reason is started again", async () => {
  const { process: supervised, reports } = await failing(1);
  supervised.start();
  await vi.waitFor(() => expect(reports).toEqual(["x-1 ended (exit code 1); starting it again in 1 s"]), {
    timeout: 20_000,
  });
  expect(supervised.state).toBe("restarting");
  expect(supervised.settingsFault).toBe("");
  await supervised.stop(100);
});
