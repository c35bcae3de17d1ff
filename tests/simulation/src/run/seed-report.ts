import type { FaultKind } from "../faults/fault-plan.ts";

/** How long reads took, in ms of virtual time. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What one run came to. Equal seeds give equal reports. */
export interface SimulationReport {
  readonly seed: number;
  readonly traceHash: string;
  readonly operationCount: number;
  readonly bytes: number;
  /** Times each kind was injected. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly faultCount: number;
  readonly termCount: number;
  readonly virtualMs: number;
  readonly reads: { readonly calm: Latency; readonly repairing: Latency };
  /** Broken promises; none, one hopes. */
  readonly violations: readonly string[];
}

/** Of sorted durations. */
export function latencyOf(sortedMs: readonly number[]): Latency {
  const at = (share: number): number =>
    Math.round((sortedMs[Math.min(sortedMs.length - 1, Math.floor(sortedMs.length * share))] ?? 0) * 10) / 10;
  return { count: sortedMs.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** "kill 3, partition 2". */
export function describeFaults(faults: SimulationReport["faults"]): string {
  return Object.entries(faults)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
}
