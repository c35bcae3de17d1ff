import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommandLine, type LocalCluster, signIn, testUser } from "@holdfast/tests-conformance";
import { cpuSeconds, type Measurement, measureMemory } from "./measurement.ts";

const mebibyte = 1024 * 1024;

/** One large file up and down through the command line and plain HTTP, every byte compared by hash. */
export async function measureTransfer(cluster: LocalCluster, gibibytes: number): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-bench-"));
  const sizeBytes = Math.round(gibibytes * 1024 * mebibyte);
  const megabytes = sizeBytes / 1e6;
  const measurements: Measurement[] = [];
  try {
    const file = path.join(folder, "large.bin");
    const sha256 = await writeRandomFile(file, sizeBytes);
    const holdfast = new CommandLine(path.join(folder, "profile"));
    await holdfast.ok(["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"], {
      input: testUser.password,
    });
    const rate = async (what: string, work: () => Promise<void>): Promise<void> => {
      const cpuBefore = await cpuSeconds(cluster);
      const startedAtMs = performance.now();
      await work();
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const cpu = ((await cpuSeconds(cluster)) - cpuBefore) / (sizeBytes / 1e9);
      measurements.push({
        what,
        value: megabytes / seconds,
        unit: "MB/s",
        detail: `${seconds.toFixed(1)} s; ${cpu.toFixed(1)} CPU-s of the cluster per GB`,
      });
    };
    await rate(
      `${gibibytes} GiB up, 3 copies fsynced (holdfast put)`,
      async () => void (await holdfast.ok(["put", file, "/large.bin"])),
    );
    const client = await signIn(cluster.origin);
    const { entry } = await client.drive.getEntry({ path: "/large.bin" });
    const readBack = async (): Promise<void> => {
      const response = await client.get(entry?.entryId ?? 0n);
      const hash = createHash("sha256");
      for await (const part of response.body ?? []) hash.update(part);
      if (hash.digest("hex") !== sha256) throw new Error("the file came back different");
    };
    if (dropCaches()) await rate(`${gibibytes} GiB down, cold caches (HTTP)`, readBack);
    await rate(`${gibibytes} GiB down, warm (HTTP)`, readBack);
    measurements.push(...(await measureMemory(cluster, "after a large file")));
    return measurements;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRandomFile(file: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(file, "w");
  for (let written = 0; written < sizeBytes; written += 8 * mebibyte) {
    const part = randomBytes(Math.min(8 * mebibyte, sizeBytes - written));
    hash.update(part);
    await handle.write(part);
  }
  await handle.close();
  return hash.digest("hex");
}

/** Empties the page cache where the machine lets us. */
function dropCaches(): boolean {
  try {
    execFileSync("sh", ["-c", "sync && echo 3 > /proc/sys/vm/drop_caches"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("the page cache cannot be dropped here; no cold figure");
    return false;
  }
}
