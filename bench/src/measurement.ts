import { readFile } from "node:fs/promises";
import type { LocalCluster } from "@holdfast/tests-conformance";

/** One figure with its unit. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Percentiles or remarks. */
  readonly detail?: string;
}

/** "p50 1.2, p99 3.4, max 5.6 ms" of durations in ms. */
export function percentiles(durationsMs: readonly number[]): string {
  return `p50 ${percentile(durationsMs, 0.5).toFixed(1)}, p99 ${percentile(durationsMs, 0.99).toFixed(1)}, max ${percentile(durationsMs, 1).toFixed(1)} ms`;
}

/** Nearest-rank percentile; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Peak resident memory of every process of the cluster, from the kernel. */
export async function measureMemory(cluster: LocalCluster, when: string): Promise<readonly Measurement[]> {
  const names = ["gateway-1", "master-1", "master-2", "master-3", "node-1", "node-2", "node-3", "node-4"];
  const measurements: Measurement[] = [];
  for (const name of names) {
    const pid = await cluster.pid(name);
    const status = pid === undefined ? "" : await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    const now = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    measurements.push({
      what: `memory of ${name} ${when}`,
      value: Math.round(peak),
      unit: "MiB peak",
      detail: `${Math.round(now)} MiB now`,
    });
  }
  return measurements;
}

/** CPU seconds used so far by all processes of the cluster. */
export async function cpuSeconds(cluster: LocalCluster): Promise<number> {
  let ticks = 0;
  for (const name of ["gateway-1", "master-1", "master-2", "master-3", "node-1", "node-2", "node-3", "node-4"]) {
    const pid = await cluster.pid(name);
    const stat = pid === undefined ? "" : await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / 100;
}
