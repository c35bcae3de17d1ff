import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Liveness } from "@holdfast/proto/model/v1/model";
import { afterEach, expect, it } from "vitest";
import { type EdgeClient, signIn } from "./edge-client.ts";
import { startLocalCluster } from "./local-cluster.ts";
import { waitFor } from "./wait-for.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Only root may mount a disk that can be filled without touching others. */
const isRoot = process.getuid?.() === 0 && process.platform === "linux";
if (!isRoot) console.log("skipped: a cluster on a full disk (needs root, to mount a small one)");

const diskBytes = 300 * 1024 * 1024;
/** Longer than the leader waits before it calls a silent node dead, and than a scrub's and a heartbeat's turn. */
const fullMs = 15_000;
const wholeMs = 90_000;

async function smallDisk(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "holdfast-full", folder]);
  cleanups.push(async () => {
    execFileSync("umount", ["-l", folder]);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Fills a disk to the last byte; answers what takes the filling away. */
async function fill(folder: string): Promise<() => Promise<void>> {
  const filler = path.join(folder, "filler");
  const { bavail, bsize } = await statfs(folder);
  await writeFile(filler, Buffer.alloc(bavail * bsize + 1)).catch((error: NodeJS.ErrnoException) => {
    expect(error.code).toBe("ENOSPC");
  });
  expect((await statfs(folder)).bavail).toBe(0);
  return () => rm(filler);
}

async function hashOf(client: EdgeClient, entryId: bigint): Promise<string> {
  const response = await client.get(entryId);
  expect(response.status).toBe(200);
  return createHash("sha256")
    .update(new Uint8Array(await response.arrayBuffer()))
    .digest("hex");
}

it.skipIf(!isRoot)(
  "with everything on a full disk files are read, writers are told, nobody keeps dying, and it goes on when there is room",
  { timeout: 180_000 },
  async () => {
    const folder = await smallDisk();
    const cluster = await startLocalCluster({ dataPath: path.join(folder, "data") });
    cleanups.push(() => cluster.stop());
    const client = await signIn(cluster.origin);
    const bytes = randomBytes(9_000_000);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect((await client.put("before", bytes)).status).toBe(201);
    const { entries } = await client.drive.listFolder({ folderId: client.rootId });
    const entryId = entries[0]?.entryId ?? 0n;

    const free = await fill(folder);
    await waitFor("a writer to be told", async () => (await client.put("during", bytes)).status === 507);
    await cluster.kill("node-1");
    await delay(fullMs);
    expect(await hashOf(client, entryId)).toBe(sha256);
    const { status } = await client.admin.getStatus({});
    expect(status?.nodes.filter(({ liveness }) => liveness === Liveness.LIVE)).toHaveLength(4);

    await free();
    await waitFor("writing to go on", async () => (await client.put("after", bytes)).status === 201, wholeMs);
    expect(await hashOf(client, entryId)).toBe(sha256);
    // A master whose LevelDB was refused room starts anew, once, with what it held back; node-1 was killed.
    const ended = cluster.output().match(/^\S+ ended/gm) ?? [];
    expect(ended.toSorted()).toEqual([...new Set(ended)].sort());
    for (const name of ended) expect(name).toMatch(/^(master-\d|node-1) ended/);
  },
);
