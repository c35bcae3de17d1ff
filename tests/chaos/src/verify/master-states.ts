import { setTimeout as delay } from "node:timers/promises";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";

/** Masters compare their tables every five seconds; two of these always lie within. */
const twoComparisonsMs = 11_000;
const disputes = ["master.state_diverged", "master.state_disputed"];

/** What the masters found when they compared their tables with each other: nothing, if folding the log came to the same. */
export async function findStateDisputes(cluster: ChaosCluster): Promise<readonly string[]> {
  await delay(twoComparisonsMs);
  const found: string[] = [];
  for (const name of cluster.ofRole("master")) {
    const lines = await cluster.logEnd(name, Number.POSITIVE_INFINITY);
    found.push(...lines.filter((line) => disputes.some((event) => line.includes(`"${event}"`))));
  }
  return found;
}
