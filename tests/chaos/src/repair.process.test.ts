import { createHash, randomBytes } from "node:crypto";
import { type EdgeClient, type LocalCluster, signIn, startLocalCluster, waitFor } from "@holdfast/tests-conformance";
import { afterEach, expect, it } from "vitest";
import { type Acknowledged, findLosses } from "./uploading-client.ts";

let cluster: LocalCluster | undefined;
afterEach(async () => {
  await cluster?.destroy();
  cluster = undefined;
});

const fileBytes = 12 * 1024 * 1024 + 345;
/** So that each of four nodes holds about 200 MiB. */
const fileCount = 22;

/** Chunks by state, as the leader counts them. */
async function health(client: EdgeClient): Promise<{ total: number; under: number; missing: number; over: number }> {
  const chunks = (await client.admin.getStatus({})).status?.chunks;
  const number = (count: bigint | undefined): number => Number(count ?? 0n);
  return {
    total: number(chunks?.total),
    under: number(chunks?.under),
    missing: number(chunks?.missing),
    over: number(chunks?.over),
  };
}

async function upload(client: EdgeClient): Promise<readonly Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let count = 0; count < fileCount; count++) {
    const bytes = randomBytes(fileBytes);
    const name = `file-${count}.bin`;
    const response = await client.put(name, bytes);
    expect(response.ok).toBe(true);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    acknowledged.push({ name, sizeBytes: bytes.length, sha256, tookMs: 0, atMs: 0 });
  }
  return acknowledged;
}

async function isFull(client: EdgeClient): Promise<boolean> {
  const { total, under, missing } = await health(client);
  return total > 0 && under === 0 && missing === 0;
}

it("a chunkserver that is killed for good is missed by nobody: every chunk has all its copies again", async () => {
  cluster = await startLocalCluster({ flags: ["--no-restart"] });
  const client = await signIn(cluster.origin);
  const acknowledged = await upload(client);
  await waitFor("full copies after the uploads", () => isFull(client), 60_000);
  const nodeBefore = (await client.admin.getStatus({})).status?.nodes.find((node) => node.name === "node-2");
  const lostBytes = Number(nodeBefore?.usedBytes ?? 0n);
  expect(lostBytes).toBeGreaterThan(0);

  const killedAtMs = performance.now();
  await cluster.kill("node-2");
  await waitFor("chunks that are short", async () => (await health(client)).under > 0, 30_000);
  const { under: shortCount } = await health(client);
  // The count is at most a second old; the first smaller one marks the beginning of the copying, late rather than early.
  let copyingAtMs = 0;
  const noteCopying = async (): Promise<boolean> => {
    const { under } = await health(client);
    if (under < shortCount && copyingAtMs === 0) copyingAtMs = performance.now();
    return under === 0;
  };
  await waitFor("full copies without the node", noteCopying, 60_000);
  const fullAtMs = performance.now();
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  console.log(
    `repair of ${(lostBytes / 2 ** 20).toFixed(0)} MiB: ${seconds(fullAtMs - killedAtMs)} s from the kill to full copies, ` +
      `${seconds(fullAtMs - copyingAtMs)} s of them after the count of short chunks (${shortCount}) began to fall`,
  );

  const status = (await client.admin.getStatus({})).status;
  expect(status?.nodes.find((node) => node.name === "node-2")?.liveness).toBe(3);
  expect(await findLosses(client, acknowledged)).toEqual([]);
});
