import { setTimeout as delay } from "node:timers/promises";
import { ChaosCluster } from "./cluster/chaos-cluster.ts";
import { chaosUser } from "./cluster/cluster-plan.ts";
import { leaderOf } from "./leader-of.ts";
import { type FaultKind, planFaults } from "./nemesis/fault-plan.ts";
import { type InjectedFault, Nemesis } from "./nemesis/nemesis.ts";
import { checkEverything, type FinalFacts } from "./verify/final-check.ts";
import { SeededChance } from "./workload/seeded-chance.ts";
import { type Violation, Violations } from "./workload/violations.ts";
import { Workload } from "./workload/workload.ts";

/** One chaos run. */
export interface ChaosRunOptions {
  readonly driver: "process" | "container";
  readonly seed: number;
  /** How long faults are injected; start, healing and checking come on top. */
  readonly durationMs: number;
  readonly report: (line: string) => void;
  /** Defects planted into every process, to see the suite bite. */
  readonly planted?: readonly string[];
  readonly clients?: number;
  /** Kinds of faults that are left out. */
  readonly without?: readonly FaultKind[];
  /** Keep data and logs when something is wrong. Default true. */
  readonly keepFailed?: boolean;
}

/** What came out. */
export interface ChaosReport {
  readonly driver: string;
  readonly seed: number;
  readonly planted: readonly string[];
  readonly durationSeconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly injected: readonly InjectedFault[];
  readonly skipped: readonly string[];
  readonly operations: number;
  readonly filesReadBack: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly longestOperationMs: number;
  readonly failedAttempts: Readonly<Record<string, number>>;
  readonly unexpectedExits: readonly string[];
  readonly final: FinalFacts | undefined;
  readonly violations: readonly Violation[];
}

const progressIntervalMs = 30_000;
const finishTimeoutMs = 120_000;
const healTimeoutMs = 180_000;

/** Starts a cluster, hurts it under load for the time, heals it, and checks everything. */
export async function runChaos(options: ChaosRunOptions): Promise<ChaosReport> {
  const { report, seed } = options;
  const violations = new Violations(report);
  const cluster = await ChaosCluster.start({
    driver: options.driver,
    planted: options.planted ?? [],
    smallDisks: ["node-4", "master-3"],
  });
  const skipped = Object.entries(cluster.missing)
    .filter(([, reason]) => reason !== undefined)
    .map(([what, reason]) => `${what}: ${reason}`);
  for (const line of skipped) report(`skipped: ${line}`);
  const workload = new Workload({
    ...{ origins: cluster.origins, user: chaosUser, seed, clients: options.clients ?? 6 },
    ...{ chunkSizeBytes: cluster.shape.chunkSizeBytes, pauseMs: 120, epochMs: 15_000, keptBytesMax: 256 << 20 },
    violations,
  });
  const observer = workload.newSession();
  const nemesis = new Nemesis({
    cluster,
    report,
    chance: new SeededChance(seed, "nemesis"),
    leader: () => leaderOf(observer),
  });
  let final: FinalFacts | undefined;
  try {
    await workload.start();
    await hurt(cluster, nemesis, options, workload);
    await cluster.healEverything();
    await cluster.waitUntilReady();
    report("all faults are over; clients finish");
    await workload.finish(finishTimeoutMs);
    final = await checkEverything({ cluster, workload, violations, report, healTimeoutMs });
  } catch (error) {
    violations.add("the run broke off", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  noteExits(cluster, violations);
  const result = reportOf({ options, cluster, nemesis, workload, violations, final, skipped });
  const keepData = violations.all.length > 0 && options.keepFailed !== false;
  if (keepData) report(`data and logs are kept in ${cluster.shape.basePath}`);
  await cluster.destroy({ keepData });
  return result;
}

async function hurt(
  cluster: ChaosCluster,
  nemesis: Nemesis,
  options: ChaosRunOptions,
  workload: Workload,
): Promise<void> {
  const startedAtMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedAtMs;
  const progress = setInterval(() => {
    const { operations, sentBytes, receivedBytes } = workload.counts();
    const mebibytes = ((sentBytes + receivedBytes) / 2 ** 20).toFixed(0);
    options.report(
      `${(elapsedMs() / 1000).toFixed(0)} s: ${nemesis.injected.length} faults, ${operations} operations, ${mebibytes} MiB`,
    );
  }, progressIntervalMs);
  const plan = planFaults(options.seed, {
    masters: cluster.ofRole("master"),
    nodes: cluster.ofRole("node"),
    gateways: cluster.ofRole("gateway"),
    smallDisks: cluster.smallDisks,
    canCut: cluster.missing.cut === undefined,
    without: options.without ?? [],
    ...{ holdMsMin: 1_500, holdMsMax: options.durationMs > 300_000 ? 15_000 : 4_000, quietMsMax: 2_500 },
  });
  try {
    await delay(2_000);
    while (elapsedMs() < options.durationMs) {
      const { faults, quietMs } = plan.next().value;
      await Promise.all(faults.map((fault) => nemesis.inject(fault)));
      await delay(quietMs);
    }
  } finally {
    clearInterval(progress);
  }
}

/** A process may give up when its disk is full; every other end that nobody asked for is a defect. */
function noteExits(cluster: ChaosCluster, violations: Violations): void {
  for (const exit of cluster.unexpectedExits) {
    if (!exit.wasDiskFull)
      violations.add("a process ended by itself", `${exit.name}: ${exit.how}\n${exit.lastLines.join("\n")}`);
  }
}

function reportOf(run: {
  readonly options: ChaosRunOptions;
  readonly cluster: ChaosCluster;
  readonly nemesis: Nemesis;
  readonly workload: Workload;
  readonly violations: Violations;
  readonly final: FinalFacts | undefined;
  readonly skipped: readonly string[];
}): ChaosReport {
  const { options, cluster, nemesis, workload, violations } = run;
  const faults: Record<string, number> = {};
  for (const { kind } of nemesis.injected) faults[kind] = (faults[kind] ?? 0) + 1;
  const counts = workload.counts();
  return {
    driver: cluster.driver,
    seed: options.seed,
    planted: options.planted ?? [],
    durationSeconds: Math.round(options.durationMs / 1000),
    faults,
    injected: nemesis.injected,
    skipped: run.skipped,
    operations: counts.operations,
    filesReadBack: counts.filesReadBack,
    sentBytes: counts.sentBytes,
    receivedBytes: counts.receivedBytes,
    longestOperationMs: Math.round(workload.longestOperationMs),
    failedAttempts: Object.fromEntries(counts.failedAttempts),
    unexpectedExits: cluster.unexpectedExits.map(
      ({ name, how, wasDiskFull }) => `${name}: ${how}${wasDiskFull ? " (its disk was full)" : ""}`,
    ),
    final: run.final,
    violations: violations.all,
  };
}
