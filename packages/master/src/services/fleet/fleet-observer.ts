import { ok, refused, type Result } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import {
  livenessOf,
  type LivenessFacts,
  type LivenessLimits,
  type LivenessView,
  type ObservedLiveness,
} from "../../controllers/liveness/plan.ts";
import {
  planCautions,
  type Caution,
  type CautionLimits,
  type StreamBreaks,
} from "../../controllers/liveness/cautions.ts";
import { planSlowness, type Slowness } from "../../controllers/liveness/slowness.ts";
import type { ObservedNode, Refusal } from "../../domain/decision.ts";
import type { NodeRow } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { NodeDetails, NodeLoad } from "./node-report.ts";

/** Who opens a stream. */
export interface StreamClaim {
  readonly nodeId: number;
  readonly name: string;
  readonly incarnation: string;
  readonly address: string;
  /** Where the log says that the node is; empty when it does not know the node yet. */
  readonly committedAddress: string;
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
  details: NodeDetails | undefined;
}

/** What a node last said and how long ago. */
export interface LastReport {
  readonly load: NodeLoad | undefined;
  readonly details: NodeDetails | undefined;
  readonly incarnation: string;
  readonly ageMs: number;
}

/** Breaks of streams are remembered so long. */
const breakWindowMs = 5 * 60_000;
const breaksMax = 32;

/** How long an answer of `observedNodes` may be used again. */
const cacheMs = 100;

/**
 * What the leader sees of the nodes, in memory, for one leadership: who talks, how long ago, how loaded. Nothing here is
 * committed; what must last becomes an event. A new leadership starts with knowing nothing.
 */
export class FleetObserver {
  readonly #clock: Clock;
  readonly #limits: LivenessLimits;
  readonly #cautionLimits: CautionLimits;
  readonly #observed = new Map<number, Observed>();
  #watchingSinceMs: number;
  #streamCount = 0;
  #slowness: ReadonlyMap<number, Slowness> = new Map();
  #cautions: ReadonlyMap<number, Caution> = new Map();
  /** Node -> when its streams broke lately, oldest first. */
  readonly #breaksMs = new Map<number, number[]>();
  #cache: { readonly atMs: number; readonly nodes: ReadonlyMap<number, ObservedNode> } | undefined;

  constructor(clock: Clock, limits: { readonly liveness: LivenessLimits; readonly caution: CautionLimits }) {
    this.#clock = clock;
    this.#limits = limits.liveness;
    this.#cautionLimits = limits.caution;
    this.#watchingSinceMs = clock.monotonicMs();
  }

  /** Begins a leadership: forgets everything, and everybody gets a full grace. */
  restart(): void {
    this.#observed.clear();
    this.#breaksMs.clear();
    this.#slowness = new Map();
    this.#cautions = new Map();
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
   * the older process is gone. A new leader has heard nobody yet: until whoever has the committed address had time to
   * come, a process at another address has to wait.
   */
  doubtOf(claim: StreamClaim): Refusal | undefined {
    const present = this.#observed.get(claim.nodeId);
    if (present?.incarnation === claim.incarnation) return undefined;
    const address = present?.address ?? claim.committedAddress;
    if (address === "" || address === claim.address) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const heardMs = present?.lastHeartbeatMs ?? this.#watchingSinceMs;
    if (nowMs - heardMs >= this.#limits.suspectAfterMs) return undefined;
    if (present?.isStreamOpen === true) {
      const message =
        `A process with the identity of ${claim.name} is alive at ${address}; this one at ${claim.address} has a copy of its directory. ` +
        "Nothing was touched. Stop one of them; a new node needs an empty directory.";
      return { kind: "precondition", message };
    }
    const message =
      `${claim.name} was at ${address} a moment ago, and this process is at ${claim.address}. Nothing was touched. ` +
      "If it moved, it is let in in a few seconds; if this is a copy of its directory, stop one of them.";
    return { kind: "unavailable", message };
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
      details: same?.details,
    });
    return ok(this.#streamCount);
  }

  /** Takes a report of a stream. Reports that arrive out of order change nothing. */
  accept(
    nodeId: number,
    streamNumber: number,
    report: { readonly sequence: number; readonly load: NodeLoad; readonly details?: NodeDetails },
  ): AcceptOutcome {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined || observed.streamNumber !== streamNumber) return "superseded";
    if (report.sequence <= observed.sequence) return "stale";
    observed.sequence = report.sequence;
    observed.lastHeartbeatMs = this.#clock.monotonicMs();
    observed.load = report.load;
    observed.details = report.details;
    return "accepted";
  }

  /** The stream ended; a later stream of the same node is not touched. */
  closeStream(nodeId: number, streamNumber: number): void {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined || observed.streamNumber !== streamNumber) return;
    observed.isStreamOpen = false;
    this.#cache = undefined;
    const breaksMs = this.#breaksMs.get(nodeId) ?? [];
    this.#breaksMs.set(nodeId, [...breaksMs, this.#clock.monotonicMs()].slice(-breaksMax));
  }

  /** Judges anew which nodes to be careful with; called at every look at the nodes. `atMs` is leader time. */
  judge(tables: TableReader, rows: readonly NodeRow[], atMs: number): void {
    const limits = this.#cautionLimits;
    const nowMs = this.#clock.monotonicMs();
    const samples = [...this.#observed.values()].flatMap(({ nodeId, details, isStreamOpen }) =>
      details === undefined || !isStreamOpen ? [] : [{ nodeId, ...details.latency }],
    );
    this.#slowness = planSlowness(this.#slowness, { nowMs, samples, limits });
    const breaksOf = (nodeId: number): StreamBreaks => this.#breaksOf(nodeId, nowMs);
    this.#cautions = planCautions(tables, rows, { atMs, slowness: this.#slowness, breaksOf, limits });
    this.#cache = undefined;
  }

  /** Why a node is used only when no other one can be; undefined for most. */
  cautionOf(nodeId: number): Caution | undefined {
    return this.#cautions.get(nodeId);
  }

  #breaksOf(nodeId: number, nowMs: number): StreamBreaks {
    const recent = (this.#breaksMs.get(nodeId) ?? []).filter((atMs) => nowMs - atMs < breakWindowMs);
    return { count: recent.length, lastAgoMs: nowMs - (recent.at(-1) ?? Number.NEGATIVE_INFINITY) };
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
      const caution = this.#cautions.get(nodeId);
      nodes.set(nodeId, { nodeId, liveness, ...load, ...(caution === undefined ? {} : { caution }) });
    }
    this.#cache = { atMs: nowMs, nodes };
    return nodes;
  }

  /** The last report of a node, if it was heard in this leadership. */
  lastReport(nodeId: number): LastReport | undefined {
    const observed = this.#observed.get(nodeId);
    if (observed === undefined) return undefined;
    const { load, details, incarnation } = observed;
    return { load, details, incarnation, ageMs: this.#clock.monotonicMs() - observed.lastHeartbeatMs };
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
}
