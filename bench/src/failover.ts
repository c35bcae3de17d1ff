import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type EdgeClient, type LocalCluster, signIn, waitFor } from "@holdfast/tests-conformance";
import { type Measurement, percentile } from "./measurement.ts";

/** Time from killing the leading master to the next acknowledged write, as a client of the gateway sees it. */
export async function measureFailover(cluster: LocalCluster, kills: number): Promise<readonly Measurement[]> {
  const client = await signIn(cluster.origin);
  const gapsMs: number[] = [];
  for (let round = 0; round < kills; round++) {
    await waitFor(
      "all masters to be up",
      async () => (await roles(client)).filter(([, role]) => role === "leader" || role === "follower").length === 3,
    );
    const leader = (await roles(client)).find(([, role]) => role === "leader")?.[0] ?? "";
    await putUntilDone(client, `before-${round}`);
    await cluster.kill(leader);
    const killedAtMs = performance.now();
    await putUntilDone(client, `after-${round}`);
    gapsMs.push(performance.now() - killedAtMs);
    await delay(2_000);
  }
  const detail = `p50 ${percentile(gapsMs, 0.5).toFixed(0)}, p99 ${percentile(gapsMs, 0.99).toFixed(0)}, max ${percentile(gapsMs, 1).toFixed(0)} ms over ${kills} kills`;
  return [
    {
      what: "leader killed to next acknowledged write",
      value: Math.round(percentile(gapsMs, 0.5)),
      unit: "ms",
      detail,
    },
  ];
}

async function roles(client: EdgeClient): Promise<readonly (readonly [string, string])[]> {
  const answer = await client.admin.getStatus({}).catch(() => undefined);
  return answer?.status?.masters.map((master) => [master.name, master.role] as const) ?? [];
}

async function putUntilDone(client: EdgeClient, name: string): Promise<void> {
  const requestId = randomBytes(16).toString("hex");
  for (;;) {
    const response = await client
      .put(name, Buffer.from(name), { requestId, signal: AbortSignal.timeout(10_000) })
      .catch(() => undefined);
    if (response?.ok === true) return;
    await delay(10);
  }
}
