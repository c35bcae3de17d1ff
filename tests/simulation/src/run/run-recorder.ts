import type { AppliedBatch, DomainEvent } from "@holdfast/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import { type Fault, machinesOf } from "../faults/fault-plan.ts";
import type { WorkloadMeter } from "../workload/workload-meter.ts";
import type { SimulatedCluster } from "../world/simulated-cluster.ts";
import { copyChangesOf, describeEvent } from "./event-words.ts";
import type { MachineState, Recording } from "./recording.ts";

/** What is recorded. */
export interface RecordedParts {
  readonly world: SimWorld;
  readonly cluster: SimulatedCluster;
  readonly meter: WorkloadMeter;
}

/** Remembers who did what, for looking at a run step by step. */
export class RunRecorder {
  readonly #events: Recording["events"][number][] = [];
  readonly #faults: { -readonly [K in keyof Recording["faults"][number]]: Recording["faults"][number][K] }[] = [];
  readonly #states: Recording["states"][number][] = [];
  readonly #copies: Recording["copies"][number][] = [];
  readonly #lastState = new Map<string, string>();
  #parts: RecordedParts | undefined;
  #lastIndex = 0;

  /** Begins. */
  attach(parts: RecordedParts): void {
    this.#parts = parts;
    parts.cluster.onApplied((batch, master) => this.#onApplied(batch, master));
  }

  /** Called after every item of the world: notes what changed about machines. */
  look(): void {
    const { cluster } = this.#must();
    const views = new Map(cluster.views().map((view) => [view.name, view]));
    for (const host of cluster.hosts()) {
      const view = views.get(host.name);
      const isUp = host.process !== undefined;
      const phase = !isUp ? "down" : host.process?.isPaused === true ? "paused" : host.running ? "up" : "starting";
      const role = view === undefined ? "" : view.isLeader ? "leader" : "follower";
      const state: MachineState = { phase, role, term: view?.term ?? 0 };
      const key = JSON.stringify(state);
      if (this.#lastState.get(host.name) === key) continue;
      const before = this.#lastState.get(host.name);
      this.#lastState.set(host.name, key);
      if (before === undefined && phase === "down") continue;
      this.#states.push({ atMs: this.#nowMs(), machine: host.name, state });
      const leads = role === "leader" ? `leads term ${state.term}` : role === "" ? "" : `follows in term ${state.term}`;
      this.#event("machine", host.name, `${host.name} is ${phase}${leads === "" ? "" : `, ${leads}`}`);
    }
  }

  /** Something that people should see. */
  note(kind: "violation" | "phase", text: string): void {
    this.#event(kind, "", text);
  }

  /** A copy was damaged on purpose. */
  damaged(machine: string, chunkId: number): void {
    this.#copies.push({ atMs: this.#nowMs(), chunkId, machine, change: "damaged" });
  }

  /** A fault begins or ends. */
  fault(what: string, phase: "begins" | "ends", fault: Fault): void {
    const machines = machinesOf(fault);
    this.#event("fault", machines[0] ?? "", `${phase === "begins" ? "begins" : "ends"}: ${what}`);
    if (phase === "begins") {
      this.#faults.push({ what, kind: fault.kind, machines, fromMs: this.#nowMs(), toMs: undefined });
      return;
    }
    const open = this.#faults.find((one) => one.what === what && one.toMs === undefined);
    if (open !== undefined) open.toMs = this.#nowMs();
  }

  /** Everything, for the page. */
  recording(): Recording {
    const { cluster, meter } = this.#must();
    const steps = meter.steps.map(({ who, what, fromMs, toMs, outcome }) => ({ who, what, fromMs, toMs, outcome }));
    for (const { who, what, fromMs, toMs, outcome } of steps) {
      this.#events.push({ atMs: fromMs, kind: "step", machine: who, text: `${who} asks: ${what}` });
      if (toMs !== undefined)
        this.#events.push({ atMs: toMs, kind: "step", machine: who, text: `${who} is answered: ${what}: ${outcome}` });
    }
    return {
      endMs: this.#nowMs(),
      machines: cluster.hosts().map((host) => host.name),
      events: this.#events.toSorted((left, right) => left.atMs - right.atMs),
      ...{ faults: this.#faults, states: this.#states, copies: this.#copies, steps },
    };
  }

  #onApplied({ index, events }: AppliedBatch, master: string): void {
    if (index <= this.#lastIndex) return;
    this.#lastIndex = index;
    for (const event of events) this.#onEvent(event, { index, master });
  }

  #onEvent(event: DomainEvent, { index, master }: { readonly index: number; readonly master: string }): void {
    const text = describeEvent(event);
    this.#event("log", master, `${index}: ${text}`);
    const atMs = this.#nowMs();
    for (const { nodeId, ...change } of copyChangesOf(event))
      this.#copies.push({ atMs, ...change, machine: `#${nodeId}` });
    if (event.kind === "nodeJoined")
      this.#copies.push({ atMs, chunkId: 0, machine: `#${event.nodeId}=${event.name}`, change: "joined" });
  }

  #event(kind: Recording["events"][number]["kind"], machine: string, text: string): void {
    this.#events.push({ atMs: this.#nowMs(), kind, machine, text });
  }

  #must(): RecordedParts {
    if (this.#parts === undefined) throw new Error("the recorder is attached before it is asked");
    return this.#parts;
  }

  #nowMs(): number {
    return this.#parts?.world.nowMs() ?? 0;
  }
}
