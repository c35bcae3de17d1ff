import { randomBytes } from "node:crypto";
import { type EdgeClient, type LocalCluster, signIn } from "@holdfast/tests-conformance";
import { type Measurement, measureMemory, percentiles } from "./measurement.ts";

const clientCount = 16;

/** Many small files from 16 clients: in chunks (16 KiB), inline (1 KiB), and empty (metadata only). */
export async function measureSmallFiles(cluster: LocalCluster, files: number): Promise<readonly Measurement[]> {
  const client = await signIn(cluster.origin);
  const measurements: Measurement[] = [];
  for (const [label, sizeBytes] of [
    ["16 KiB files, 3 copies fsynced", 16_384],
    ["1 KiB files, inline in the log", 1_024],
    ["empty files (metadata only)", 0],
  ] as const) {
    const folder = await client.drive.createFolder({
      requestId: randomBytes(16).toString("hex"),
      name: `files of ${sizeBytes} bytes`,
    });
    const bytes = randomBytes(sizeBytes);
    const durationsMs: number[] = [];
    const startedAtMs = performance.now();
    await concurrently(files, async (number) => {
      const sentAtMs = performance.now();
      await putOne(client, folder.entry?.entryId ?? 0n, { name: `${number}`, bytes });
      durationsMs.push(performance.now() - sentAtMs);
    });
    const perSecond = files / ((performance.now() - startedAtMs) / 1_000);
    measurements.push({
      what: `${label}, ${clientCount} clients`,
      value: Math.round(perSecond),
      unit: "files/s",
      detail: percentiles(durationsMs),
    });
  }
  measurements.push(...(await measureMemory(cluster, "after small files")));
  return measurements;
}

async function putOne(
  client: EdgeClient,
  parentId: bigint,
  file: { readonly name: string; readonly bytes: Uint8Array },
): Promise<void> {
  const response = await client.put(file.name, file.bytes, { parentId });
  const body = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${body}`);
}

async function concurrently(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: clientCount }, async () => {
      while (next < count) await work(next++);
    }),
  );
}
