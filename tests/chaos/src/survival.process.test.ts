import { setTimeout as delay } from "node:timers/promises";
import { type EdgeClient, type LocalCluster, signIn, startLocalCluster, waitFor } from "@holdfast/tests-conformance";
import { afterEach, describe, expect, it } from "vitest";
import { type Acknowledged, findLosses, uploadUntil } from "./uploading-client.ts";

let cluster: LocalCluster | undefined;
afterEach(async () => {
  await cluster?.destroy();
  cluster = undefined;
});

/** Tiny (inline), small, just over a chunk, several chunks. */
const sizesBytes = [0, 1_000, 40_000, 4 * 1024 * 1024 + 17, 9_000_000];

async function leaderName(client: EdgeClient): Promise<string> {
  let name = "";
  await waitFor("a leader", async () => {
    const answer = await client.admin.getStatus({}).catch(() => undefined);
    name = answer?.status?.masters.find((master) => master.role === "leader")?.name ?? "";
    return name !== "";
  });
  return name;
}

/** Uploads from three clients while `disturb` runs; resolves with what was acknowledged. */
async function uploadDuring(client: EdgeClient, disturb: () => Promise<void>): Promise<readonly Acknowledged[]> {
  const controller = new AbortController();
  const uploads = ["a", "b", "c"].map((label) => uploadUntil({ client, label, sizesBytes, signal: controller.signal }));
  const all = Promise.all(uploads);
  // A refusal must end the test with its reason, not hang it.
  await Promise.race([delay(500).then(disturb), all]);
  await delay(1_500);
  controller.abort();
  return (await all).flat();
}

describe("kill -9 in the middle of uploads loses nothing acknowledged", () => {
  it("the leader, twice", async () => {
    cluster = await startLocalCluster();
    const running = cluster;
    const client = await signIn(cluster.origin);
    const acknowledged = await uploadDuring(client, async () => {
      for (let round = 0; round < 2; round++) {
        await running.kill(await leaderName(client));
        await delay(3_000);
      }
    });
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(await findLosses(client, acknowledged)).toEqual([]);
  });

  it("chunkservers one after another, the last of them for good; NodeDown and NodeUp are told", async () => {
    cluster = await startLocalCluster();
    const running = cluster;
    const client = await signIn(cluster.origin);
    const acknowledged = await uploadDuring(client, async () => {
      for (const name of ["node-1", "node-3", "node-2"]) {
        await running.kill(name);
        await delay(2_500);
      }
    });
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(await findLosses(client, acknowledged)).toEqual([]);
  });

  it("the gateway", async () => {
    cluster = await startLocalCluster();
    const running = cluster;
    const client = await signIn(cluster.origin);
    const acknowledged = await uploadDuring(client, async () => {
      await running.kill("gateway-1");
      await delay(4_000);
    });
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(await findLosses(client, acknowledged)).toEqual([]);
  });

  it("everything at once, then a new start", async () => {
    cluster = await startLocalCluster();
    const running = cluster;
    const client = await signIn(cluster.origin);
    const acknowledged = await uploadDuring(client, () => running.killEverything());
    expect(acknowledged.length).toBeGreaterThan(0);
    const again = await startLocalCluster({ dataPath: running.dataPath });
    try {
      expect(await findLosses(await signIn(again.origin), acknowledged)).toEqual([]);
    } finally {
      await again.stop();
    }
  });
});

describe("a chunkserver that stays away", () => {
  it("is noticed as down and, when it is back, as up", async () => {
    cluster = await startLocalCluster({ flags: ["--no-restart"] });
    const client = await signIn(cluster.origin);
    await cluster.kill("node-4");
    const eventTypes = async (): Promise<readonly string[]> =>
      (await client.admin.listEvents({ limit: 200 })).events.map((event) => event.type);
    await waitFor("NodeDown", async () => (await eventTypes()).includes("NodeDown"), 30_000);
    const status = (await client.admin.getStatus({})).status;
    expect(status?.nodes.filter((node) => node.name === "node-4").map((node) => node.liveness)).toEqual([3]);
    // With three nodes left, uploads go on.
    expect((await client.put("while-away.bin", Buffer.alloc(100_000, 7))).ok).toBe(true);
    await cluster.stop();
    const again = await startLocalCluster({ dataPath: cluster.dataPath });
    try {
      const back = await signIn(again.origin);
      await waitFor(
        "NodeUp",
        async () => (await back.admin.listEvents({ limit: 200 })).events.some((event) => event.type === "NodeUp"),
        30_000,
      );
    } finally {
      await again.stop();
    }
  });
});
