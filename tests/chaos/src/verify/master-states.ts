import { setTimeout as delay } from "node:timers/promises";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { statusOf } from "../leader-of.ts";
import type { EdgeSession } from "../workload/edge-session.ts";

/** Masters compare their tables every five seconds, at indexes that are multiples of 64. */
const agreementTimeoutMs = 30_000;
const comparedIndexes = 64;
const disputes = ["master.state_diverged", "master.state_disputed"];

/**
 * What the masters found during the run when they compared their tables, and which of them cannot be seen to agree with a
 * majority on where the log is now. Nothing, if folding the log came to the same everywhere.
 */
export async function findStateDisputes(cluster: ChaosCluster, session: EdgeSession): Promise<readonly string[]> {
  const found: string[] = [];
  // So that those that were started last have something to compare.
  const folderId = await session.createFolder("compared");
  for (let number = 0; number < 3 * comparedIndexes; number++) await session.createFolder(`${number}`, folderId);
  const index = Number((await statusOf(session))?.index ?? 0n);
  const wanted = index - (index % comparedIndexes) - comparedIndexes;
  const untilMs = performance.now() + agreementTimeoutMs;
  for (const name of cluster.ofRole("master")) {
    const agreed = (): Promise<number> => cluster.metricOf(name, "holdfast_master_agreed_index");
    while ((await agreed()) < wanted && performance.now() < untilMs) await delay(250);
    const last = await agreed();
    if (last < wanted) found.push(`${name} agrees with a majority up to ${last}, not ${wanted}`);
    const lines = await cluster.logEnd(name, Number.POSITIVE_INFINITY);
    found.push(...lines.filter((line) => disputes.some((event) => line.includes(`"${event}"`))));
  }
  return found;
}
