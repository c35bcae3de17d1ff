import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockNodeDirectory } from "./directory-lock.ts";

const script = (folder: string): string[] => [
  "--input-type=module",
  "-e",
  `
  import { lockNodeDirectory } from ${JSON.stringify(new URL("directory-lock.ts", import.meta.url).href)};
  try { await lockNodeDirectory(${JSON.stringify(folder)}); console.log("locked"); } catch (error) { console.log(error.kind); }
  if (process.argv.includes("stay")) setInterval(() => undefined, 1000);
`,
];

test.skipIf(process.platform !== "linux")(
  "a folder locked by a process is refused to others until that one ends, even by kill -9",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-lock-"));
    const holder = spawn(process.execPath, [...script(folder), "--", "stay"]);
    const [first] = await once(holder.stdout, "data");
    expect(String(first).trim()).toBe("locked");
    await expect(lockNodeDirectory(folder)).rejects.toMatchObject({ kind: "precondition" });
    expect(execFileSync(process.execPath, script(folder), { encoding: "utf8" }).trim()).toBe("precondition");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const lock = await lockNodeDirectory(folder);
    await lock.release();
    await rm(folder, { recursive: true });
  },
);
