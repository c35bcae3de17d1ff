import type { SimWorld } from "@holdfast/runtime/sim";
import type { ClusterFacts } from "../checkers/cluster-facts.ts";
import type { Fault } from "../faults/fault-plan.ts";
import { machinesOf } from "../faults/fault-plan.ts";
import type { WorkloadMeter } from "../workload/workload-meter.ts";
import type { SimulatedCluster } from "../world/simulated-cluster.ts";

/** What is recorded. */
export interface RecordedParts {
  readonly world: SimWorld;
  readonly cluster: SimulatedCluster;
  readonly facts: ClusterFacts;
  readonly meter: WorkloadMeter;
}

/** A fault as it was. */
export interface RecordedFault {
  readonly what: string;
  readonly kind: string;
  readonly machines: readonly string[];
  readonly fromMs: number;
  toMs: number | undefined;
}

/** Remembers who did what, for looking at a run step by step. */
export class RunRecorder {
  readonly notes: { readonly atMs: number; readonly kind: "violation" | "phase"; readonly text: string }[] = [];
  readonly faults: RecordedFault[] = [];
  #parts: RecordedParts | undefined;

  /** Begins. */
  attach(parts: RecordedParts): void {
    this.#parts = parts;
  }

  /** Something that people should see. */
  note(kind: "violation" | "phase", text: string): void {
    this.notes.push({ atMs: this.#nowMs(), kind, text });
  }

  /** A fault begins or ends. */
  fault(what: string, phase: "begins" | "ends", fault: Fault): void {
    if (phase === "begins") {
      this.faults.push({ what, kind: fault.kind, machines: machinesOf(fault), fromMs: this.#nowMs(), toMs: undefined });
      return;
    }
    const open = this.faults.find((one) => one.what === what && one.toMs === undefined);
    if (open !== undefined) open.toMs = this.#nowMs();
  }

  #nowMs(): number {
    return this.#parts?.world.nowMs() ?? 0;
  }
}
