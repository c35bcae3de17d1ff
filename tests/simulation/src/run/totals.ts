import type { FaultKind } from "../faults/fault-plan.ts";
import type { SimulationReport } from "./seed-report.ts";

/** What many seeds came to together. */
export interface SimulationTotals {
  seeds: number;
  operations: number;
  bytes: number;
  terms: number;
  virtualMs: number;
  readonly faults: Partial<Record<FaultKind, number>>;
  faultCount: number;
  readonly failedSeeds: number[];
  violations: number;
  /** Median over the seeds of their reads' 99th percentile, in ms of virtual time, while copies were being made and not. */
  readP99Ms: { calm: number; repairing: number };
}

/** Adds seeds up. */
export class TotalsCounter {
  readonly #totals: SimulationTotals = {
    ...{ seeds: 0, operations: 0, bytes: 0, terms: 0, virtualMs: 0, faults: {}, faultCount: 0 },
    ...{ failedSeeds: [], violations: 0, readP99Ms: { calm: 0, repairing: 0 } },
  };
  readonly #calm: number[] = [];
  readonly #repairing: number[] = [];

  add(report: SimulationReport): void {
    const totals = this.#totals;
    totals.seeds++;
    totals.operations += report.operationCount;
    totals.bytes += report.bytes;
    totals.terms += report.termCount;
    totals.virtualMs += report.virtualMs;
    totals.faultCount += report.faultCount;
    for (const [kind, count] of Object.entries(report.faults) as [FaultKind, number][])
      totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
    totals.violations += report.violations.length;
    if (report.violations.length > 0) totals.failedSeeds.push(report.seed);
    if (report.reads.calm.count > 0) this.#calm.push(report.reads.calm.p99Ms);
    if (report.reads.repairing.count > 4) this.#repairing.push(report.reads.repairing.p99Ms);
  }

  totals(): SimulationTotals {
    this.#totals.readP99Ms = { calm: medianOf(this.#calm), repairing: medianOf(this.#repairing) };
    this.#totals.failedSeeds.sort((left, right) => left - right);
    return this.#totals;
  }
}

function medianOf(values: number[]): number {
  values.sort((left, right) => left - right);
  return values[values.length >> 1] ?? 0;
}
