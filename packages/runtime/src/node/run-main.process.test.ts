import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = import.meta.dirname;
let folder: string;
let script: string;

/** A process that does what its setting says. */
const source = `
import { defineSettings, runMain } from "${here}/index.ts";
const write = (event) => process.stdout.write(event + "\\n");
await runMain({
  name: "probe",
  settings: defineSettings({ manner: { type: "choice", choices: ["run", "refuse", "throw", "reject", "hang"], help: "What to do" } }),
  createLogger: () => ({ info: write, error: (event, fields) => write(event + " " + fields.message) }),
  stopTimeoutMs: 200,
  start: async ({ manner }) => {
    if (manner === "refuse") throw new Error("no disk");
    const beat = setInterval(() => undefined, 1000);
    if (manner === "throw") setTimeout(() => { throw new Error("a bug"); });
    if (manner === "reject") Promise.reject(new Error("a bug"));
    return { stop: async () => { write("stopping"); clearInterval(beat); if (manner === "hang") await new Promise(() => undefined); } };
  },
});
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-run-main-"));
  script = join(folder, "probe.ts");
  await writeFile(script, source);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(args: readonly string[], signalAfter?: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    if (signalAfter !== undefined && output.includes(signalAfter)) {
      signalAfter = undefined;
      child.kill("SIGTERM");
    }
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return new Promise((resolve) => child.on("exit", (code) => resolve({ code, output })));
}

test("SIGTERM stops the process cleanly with 0", async () => {
  const { code, output } = await run(["--manner", "run"], "process.started");
  expect({ code, stops: output.match(/^stopping$/gm)?.length }).toEqual({ code: 0, stops: 1 });
  expect(output).toContain("process.stopped");
});

test("wrong settings end it with 2, a refused start with 1", async () => {
  expect(await run(["--manner", "dance"])).toMatchObject({
    code: 2,
    output: expect.stringContaining("must be one of run") as string,
  });
  expect(await run(["--manner", "refuse"])).toMatchObject({
    code: 1,
    output: expect.stringContaining("probe failed: no disk") as string,
  });
  expect(await run(["--help"])).toMatchObject({ code: 0, output: expect.stringContaining("--manner") as string });
});

test.each(["throw", "reject"])("what nobody catches (%s) is logged and ends it with 1", async (manner) => {
  expect(await run(["--manner", manner])).toMatchObject({
    code: 1,
    output: expect.stringContaining("process.uncaught a bug") as string,
  });
});

test("a stop that hangs is cut off with 1", async () => {
  expect(await run(["--manner", "hang"], "process.started")).toMatchObject({
    code: 1,
    output: expect.stringContaining("did not stop within 200 ms") as string,
  });
});
