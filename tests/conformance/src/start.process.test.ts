import { createServer } from "node:http";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { signIn } from "./edge-client.ts";
import { freePort, type LocalCluster, runSupervisor, startLocalCluster } from "./local-cluster.ts";
import { waitFor } from "./wait-for.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-start-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function started(options: Parameters<typeof startLocalCluster>[0] = {}): Promise<LocalCluster> {
  const cluster = await startLocalCluster(options);
  cleanups.push(() => cluster.destroy());
  return cluster;
}

async function refusal(
  dataPath: string,
  port: number,
  flags: readonly string[] = [],
): Promise<{ code: number; output: string }> {
  const supervisor = runSupervisor({ dataPath, port, flags });
  return { code: await supervisor.exited, output: supervisor.output() };
}

describe("npm start refuses in words", () => {
  it("a taken port", async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const folder = await temporaryFolder();
    const { code, output } = await refusal(path.join(folder, "data"), port);
    expect(code).toBe(1);
    expect(output).toContain(
      `Port ${port} on 127.0.0.1 cannot be used: another program is listening on it. Nothing was started.`,
    );
  });

  it("a data directory that holds something else, and leaves it alone", async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, "thesis.doc"), "years of work");
    const { code, output } = await refusal(folder, await freePort());
    expect(code).toBe(1);
    expect(output).toContain("holds something that is not Holdfast's (thesis.doc)");
    expect(await readdir(folder)).toEqual(["thesis.doc"]);
  });

  it("a data directory that cannot be written", async () => {
    for (const unwritable of ["/proc/holdfast/data", "/dev/null/data"]) {
      const { code, output } = await refusal(unwritable, await freePort());
      expect(code).toBe(1);
      expect(output).toContain(`The data directory ${unwritable} cannot be written`);
    }
  });

  it("settings that are wrong, all of them at once", async () => {
    const folder = await temporaryFolder();
    const { code, output } = await refusal(folder, await freePort(), [
      "--masters",
      "2",
      "--chunkservers",
      "many",
      "--colour",
      "blue",
    ]);
    expect(code).toBe(2);
    expect(output).toContain("--masters: must be one of 1, 3, 5");
    expect(output).toContain("--chunkservers: must be a whole number");
    expect(output).toContain("--colour: no such setting");
  });
});

describe("npm start", () => {
  it("offers a one-time set-up link when there is no account, and stops cleanly", async () => {
    const cluster = await started({ isWithoutUser: true });
    expect(cluster.output()).toMatch(/link works once\): http:\/\/127\.0\.0\.1:\d+\/setup\?token=\S{20,}/);
    const pids = await Promise.all(
      ["master-1", "master-2", "master-3", "node-1", "node-2", "node-3", "node-4", "gateway-1"].map(cluster.pid),
    );
    expect(pids.every((pid) => pid !== undefined)).toBe(true);
    expect(await cluster.stop()).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid ?? 0, 0)).toThrow("ESRCH");
    expect((await readdir(path.join(cluster.dataPath, "run"))).filter((name) => name.endsWith(".pid"))).toEqual([]);
  });

  it("refuses a second instance on the same data, and keeps everything over a restart", async () => {
    const cluster = await started();
    const second = await refusal(cluster.dataPath, await freePort());
    expect(second.code).toBe(1);
    expect(second.output).toContain("Holdfast is already running on");
    const client = await signIn(cluster.origin);
    const small = Buffer.from("hello");
    const large = Buffer.alloc(9_000_000, "0123456789abcdef");
    expect((await client.put("small.txt", small)).status).toBe(201);
    expect((await client.put("large.bin", large)).status).toBe(201);
    expect(await cluster.stop()).toBe(0);

    const startedAtMs = performance.now();
    const again = await startLocalCluster({ dataPath: cluster.dataPath });
    cleanups.push(() => again.stop());
    console.log(`second start: ${Math.round(performance.now() - startedAtMs)} ms`);
    const back = await signIn(again.origin);
    const { entries } = await back.drive.listFolder({});
    expect(entries.map((entry) => [entry.name, Number(entry.sizeBytes)])).toEqual([
      ["large.bin", large.length],
      ["small.txt", small.length],
    ]);
    for (const entry of entries) {
      const bytes = Buffer.from(await (await back.get(entry.entryId)).arrayBuffer());
      expect(bytes.equals(entry.name === "small.txt" ? small : large)).toBe(true);
    }
  });

  it("starts a process that died again after a second", async () => {
    const cluster = await started();
    const killed = await cluster.kill("node-2");
    await waitFor("node-2 to be back", async () => {
      const pid = await cluster.pid("node-2");
      return pid !== undefined && pid !== killed;
    });
    expect(cluster.output()).toContain("node-2 ended (signal SIGKILL); starting it again in 1 s");
  });
});
