import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
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

test("one whose pid file cannot be written runs all the same, and has it once it can", async () => {
  const script = path.join(folder, "main.ts");
  await writeFile(script, "setInterval(() => undefined, 1000);");
  // As on a full disk: the file cannot be written.
  await mkdir(path.join(folder, "x-1.pid"));
  const reports: string[] = [];
  const plan = { name: "x-1", script, nodeFlags: [], parameters: [], environment: {} };
  const options = { runPath: folder, nodePath: process.execPath, isRestarted: true };
  const supervised = new SupervisedProcess(plan, { ...options, report: (line) => void reports.push(line) });
  supervised.start();
  expect(supervised.state).toBe("running");
  expect(reports).toEqual([expect.stringMatching(/^x-1 runs, but its pid file cannot be written: /)]);
  await rmdir(path.join(folder, "x-1.pid"));
  const pid = (): Promise<string> => readFile(path.join(folder, "x-1.pid"), "utf8");
  await vi.waitFor(async () => expect(await pid()).toBe(`${supervised.pid}\n`), { timeout: 20_000 });
  await supervised.stop(5000);
  await expect(pid()).rejects.toThrow("ENOENT");
});

test("one that cannot even be started is tried again", async () => {
  const { process: supervised, reports } = await failing(1);
  await mkdir(path.join(folder, "x-1.log"));
  supervised.start();
  expect(reports).toEqual([
    expect.stringMatching(/^x-1 ended \(it could not be started: .*\); starting it again in 1 s$/),
  ]);
  expect(supervised.state).toBe("restarting");
  await rmdir(path.join(folder, "x-1.log"));
  await vi.waitFor(() => expect(reports).toHaveLength(2), { timeout: 20_000 });
  expect(reports[1]).toContain("exit code 1");
  await supervised.stop(100);
});
