import { ok, refused, type Result } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import {
  livenessOf,
  type LivenessFacts,
  type LivenessLimits,
  type LivenessView,
  type ObservedLiveness,
} from "../../controllers/liveness/plan.ts";
import type { ObservedNode, Refusal } from "../../domain/decision.ts";
import type { NodeRow } from "../../domain/fleet/tables.ts";
import type { NodeLoad } from "./node-report.ts";

/** Who opens a stream. */
export interface StreamClaim {
  readonly nodeId: number;
  readonly name: string;
  readonly incarnation: string;
  readonly address: string;
}

/** What became of a report: taken, older than one that was taken, or from a stream that another one replaced. */
export type AcceptOutcome = "accepted" | "stale" | "superseded";

interface Observed {
  readonly nodeId: number;
  readonly streamNumber: number;
  readonly incarnation: string;
  readonly address: string;
  sequence: number;
  lastHeartbeatMs: number;
  isStreamOpen: boolean;
  load: NodeLoad | undefined;
}

/** How long an answer of `observedNodes` may be used again. */
const cacheMs = 100;

/**
 * What the leader sees of the nodes, in memory, for one leadership: who talks, how long ago, how loaded. Nothing here is
 * committed; what must last becomes an event. A new leadership starts with knowing nothing.
 */
export class FleetObserver {
  readonly #clock: Clock;
  readonly #limits: LivenessLimits;
  readonly #observed = new Map<number, Observed>();
  #watchingSinceMs: number;
  #streamCount = 0;
  #cache: { readonly atMs: number; readonly nodes: ReadonlyMap<number, ObservedNode> } | undefined;

  constructor(clock: Clock, limits: LivenessLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#watchingSinceMs = clock.monotonicMs();
  }

  /** Begins a leadership: forgets everything, and everybody gets a full grace. */
  restart(): void {
    this.#observed.clear();
    this.#cache = undefined;
    this.forgive();
  }

  /** This process was paused itself: silence so far proves nothing, so everybody gets a full grace. */
  forgive(): void {
    this.#watchingSinceMs = this.#clock.monotonicMs();
  }

  /**
   * Why a stream may not be opened, or undefined. A second process with the same identity is refused while the first one
   * talks: its files are a copy, and two processes would each answer for half of the truth. The same address proves that
   * the older process is gone.
   */
  doubtOf(claim: StreamClaim): Refusal | undefined {
    const present = this.#observed.get(claim.nodeId);
    if (present === undefined || present.incarnation === claim.incarnation || present.address === claim.address)
      return undefined;
    if (!this.#talks(present)) return undefined;
    const message =
      `A process with the identity of ${claim.name} is alive at ${present.address}; this one at ${claim.address} has a copy of its directory. ` +
      "Nothing was touched. Stop one of them; a new node needs an empty directory.";
    return { kind: "precondition", message };
  }

  /** A node's new stream; the number tells it from earlier ones. Refused when there is a doubt. */
  openStream(claim: StreamClaim): Result<number, Refusal> {
    const doubt = this.doubtOf(claim);
    if (doubt !== undefined) return refused(doubt);
    const present = this.#observed.get(claim.nodeId);
    const same = present?.incarnation === claim.incarnation ? present : undefined;
    this.#streamCount += 1;
    this.#cache = undefined;
    this.#observed.set(claim.nodeId, {
      nodeId: claim.nodeId,
      streamNumber: this.#streamCount,
      incarnation: claim.incarnation,
      address: claim.address,
      sequence: same?.sequence ?? -1,
      lastHeartbeatMs: this.#clock.monotonicMs(),
      isStreamOpen: true,
      load: same?.load,
    });
    return ok(this.#streamCount);
  }

  /** Takes a report of a stream. Reports that arrive out of order change nothing. */
  accept(
    nodeId: number,
    streamNumber: number,
    report: { readonly sequence: number; readonly load: NodeLoad },
  ): AcceptOutcome {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined || observed.streamNumber !== streamNumber) return "superseded";
    if (report.sequence <= observed.sequence) return "stale";
    observed.sequence = report.sequence;
    observed.lastHeartbeatMs = this.#clock.monotonicMs();
    observed.load = report.load;
    return "accepted";
  }

  /** The stream ended; a later stream of the same node is not touched. */
  closeStream(nodeId: number, streamNumber: number): void {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined || observed.streamNumber !== streamNumber) return;
    observed.isStreamOpen = false;
    this.#cache = undefined;
  }

  /** For the liveness plan. */
  view(rows: readonly NodeRow[]): LivenessView {
    return { ...this.#viewNow(), nodes: rows.map((row) => this.#factsOf(row)) };
  }

  /** A node's liveness now. */
  livenessOf(row: NodeRow): ObservedLiveness {
    return livenessOf(this.#factsOf(row), this.#viewNow());
  }

  /** What decisions may know: nodes heard in this leadership, by id. At most 100 ms old. */
  observedNodes(): ReadonlyMap<number, ObservedNode> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#cache !== undefined && nowMs - this.#cache.atMs < cacheMs) return this.#cache.nodes;
    const view = this.#viewNow();
    const nodes = new Map<number, ObservedNode>();
    for (const { nodeId, lastHeartbeatMs, isStreamOpen, load } of this.#observed.values()) {
      if (load === undefined) continue;
      const liveness = livenessOf({ nodeId, name: "", isDown: false, lastHeartbeatMs, isStreamOpen }, view);
      nodes.set(nodeId, { nodeId, liveness, ...load });
    }
    this.#cache = { atMs: nowMs, nodes };
    return nodes;
  }

  /** Load, incarnation and age of the last report of a node, if it was heard. */
  lastReport(
    nodeId: number,
  ): { readonly load: NodeLoad | undefined; readonly incarnation: string; readonly ageMs: number } | undefined {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined) return undefined;
    const ageMs = this.#clock.monotonicMs() - observed.lastHeartbeatMs;
    return { load: observed.load, incarnation: observed.incarnation, ageMs };
  }

  #viewNow(): Omit<LivenessView, "nodes"> {
    return { nowMs: this.#clock.monotonicMs(), watchingSinceMs: this.#watchingSinceMs, limits: this.#limits };
  }

  #factsOf(row: NodeRow): LivenessFacts {
    const observed = this.#observed.get(row.nodeId);
    return {
      nodeId: row.nodeId,
      name: row.name,
      isDown: row.isDown,
      lastHeartbeatMs: observed?.lastHeartbeatMs,
      isStreamOpen: observed?.isStreamOpen ?? false,
    };
  }

  #talks(observed: Observed): boolean {
    return observed.isStreamOpen && this.#clock.monotonicMs() - observed.lastHeartbeatMs < this.#limits.suspectAfterMs;
  }
}
