import { setTimeout as delay } from "node:timers/promises";
import { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { chaosUser } from "../cluster/cluster-plan.ts";
import { rollingRestart } from "../nemesis/nemesis.ts";
import { checkEverything } from "../verify/final-check.ts";
import { Violations } from "../workload/violations.ts";
import { Workload } from "../workload/workload.ts";
import { type FigureReport, spread } from "./figure.ts";

/**
 * Restarts every process in turn while clients work: SIGTERM, start, ready, the next. The clients know both gateways and
 * repeat a request at the other one; a failed operation would be one that has no answer in the end.
 */
export async function measureRollingRestarts(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly report: (line: string) => void;
}): Promise<FigureReport> {
  const { report, rounds, seed } = options;
  const violations = new Violations(report);
  const cluster = await ChaosCluster.start();
  try {
    const workload = new Workload({
      ...{ origins: cluster.origins, user: chaosUser, seed, clients: 6, violations, pauseMs: 80 },
      ...{ chunkSizeBytes: cluster.shape.chunkSizeBytes, epochMs: 15_000, keptBytesMax: 512 << 20 },
    });
    await workload.start();
    await delay(5_000);
    const quietCount = workload.history.length;
    const startedAtMs = performance.now();
    for (let round = 0; round < rounds; round++)
      await rollingRestart(cluster, cluster.names, (name) => report(`${name} restarted`));
    const tookMs = performance.now() - startedAtMs;
    await delay(2_000);
    await workload.finish(60_000);
    const final = await checkEverything({ cluster, workload, violations, report, healTimeoutMs: 120_000 });
    const unanswered = workload.history.filter(({ output }) => output === undefined).length;
    const durationsMs = (from: number, to?: number): readonly number[] =>
      workload.history.slice(from, to).map(({ invokeAt, returnAt }) => returnAt - invokeAt);
    const { failedAttempts } = workload.counts();
    for (const exit of cluster.unexpectedExits)
      violations.add("a process ended by itself", `${exit.name}: ${exit.how}`);
    return {
      figures: [
        {
          what: "processes restarted under load",
          value: `${rounds * cluster.names.length} in ${(tookMs / 1000).toFixed(0)} s`,
        },
        { what: "operations without an answer", value: String(unanswered) },
        { what: "operations before the restarts", value: spread(durationsMs(0, quietCount)) },
        { what: "operations during the restarts", value: spread(durationsMs(quietCount)) },
        { what: "attempts repeated at the other gateway", value: JSON.stringify(Object.fromEntries(failedAttempts)) },
        {
          what: "files at the end, all hashed",
          value: `${final.files} (${(final.hashedBytes / 2 ** 20).toFixed(0)} MiB)`,
        },
      ],
      violations: violations.all.map(({ kind, detail }) => `${kind}: ${detail}`),
    };
  } finally {
    await cluster.destroy();
  }
}
