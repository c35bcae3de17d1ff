import { OneMorePlan } from "../../domain/chunks/placement/one-more.ts";
import type { PartnerOrder } from "../../domain/chunks/placement/partner-order.ts";
import { DrainZones } from "../drain/zones.ts";
import { CopyLoads } from "./copy-loads.ts";
import { CopyScales, type CopyNode } from "./copy-node.ts";
import { explainMassLoss } from "./mass-loss.ts";

/** When and how fast copies are made and removed. */
export interface RepairLimits {
  /** A chunk with two or more copies left is short for so long before it is copied: a restart causes no copying. */
  readonly delayMs: number;
  /** A chunk has too many copies for so long before one is ordered away. */
  readonly extraGraceMs: number;
  /** Copies that one node fetches at once. */
  readonly inPerTargetMax: number;
  /** Copies that one node gives at once. */
  readonly outPerSourceMax: number;
  /** Orders that are out for each of those, so that a node is never idle between two looks. */
  readonly ordersPerPullMax: number;
  /** An order that was not answered is sent again. */
  readonly resendAfterMs: number;
  /** A copy that was not confirmed goes to another node. */
  readonly giveUpAfterMs: number;
  /** This share of the nodes gone together is a fault of something else: nothing is copied. */
  readonly vanishedShareMax: number;
  /** What "together" means. */
  readonly vanishedWindowMs: number;
}

/** A chunk that somebody needs and that has too few copies, or too few on nodes that stay. */
export interface ShortChunk {
  readonly chunkId: number;
  readonly lengthBytes: number;
  /** Where copies should be. */
  readonly placedNodeIds: readonly number[];
  readonly confirmedNodeIds: readonly number[];
  /** Placed, not confirmed, and not being ordered away: these may be asked without another event. */
  readonly openNodeIds: readonly number[];
  readonly shortForMs: number;
}

/** A copy that was ordered and not confirmed yet. */
export interface ActiveCopy {
  readonly chunkId: number;
  readonly targetId: number;
  /** The first source named. */
  readonly sourceId: number;
  /** Since the last order. */
  readonly sentAgoMs: number;
}

/** One look at the work. */
export interface RepairView {
  readonly nodes: readonly CopyNode[];
  /** Most urgent first. */
  readonly chunks: readonly ShortChunk[];
  readonly active: readonly ActiveCopy[];
  /** Copies that were given up not long ago. */
  readonly isAvoided: (chunkId: number, nodeId: number) => boolean;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  /** Of these nodes, kept from look to look; absent = made here. */
  readonly order?: PartnerOrder | undefined;
  readonly limits: RepairLimits;
  /** An administrator ordered repair to rest. Draining goes on. */
  readonly isPaused: boolean;
  /** An administrator wants repair although many nodes vanished together. */
  readonly isMassLossAccepted: boolean;
}

/** What a copy is made for; the reason in the log. */
export type CopyPurpose = "repair" | "replication" | "drain" | "balance";

/** An order to one node. */
export interface PlannedCopy {
  readonly chunkId: number;
  readonly targetId: number;
  /** Best first. */
  readonly sourceIds: readonly number[];
  /** The log does not name the target yet. */
  readonly isNewPlace: boolean;
  readonly purpose: CopyPurpose;
}

/** One copy more of a chunk. */
interface Wish {
  readonly purpose: CopyPurpose;
  /** Targets of the copies that are on their way. */
  readonly takenIds: readonly number[];
  /** At most one copy is left. */
  readonly isUrgent: boolean;
}

/** What to do now. */
export interface RepairPlan {
  readonly copies: readonly PlannedCopy[];
  /** Why nothing is copied; empty when it goes on. */
  readonly stoppedReason: string;
}

/** In the status while an administrator keeps repair at rest. */
export const pausedReason = "An administrator paused repair. Chunks with too few copies stay so until it is resumed.";

/** Orders that go out now: those that were not answered, and new ones within the limits, most urgent chunk first. */
export function planRepair(view: RepairView): RepairPlan {
  const vanished = view.isMassLossAccepted ? "" : explainMassLoss(view.nodes, view.limits);
  if (vanished !== "") return { copies: [], stoppedReason: vanished };
  const planning = new Planning(view);
  const copies = view.chunks.flatMap((chunk) => planning.planChunk(chunk));
  return { copies, stoppedReason: view.isPaused ? pausedReason : "" };
}

class Planning {
  readonly #view: RepairView;
  readonly #nodes: ReadonlyMap<number, CopyNode>;
  readonly #loads: CopyLoads;
  readonly #active: ReadonlyMap<number, readonly ActiveCopy[]>;
  readonly #scales: CopyScales;
  readonly #places: OneMorePlan;
  readonly #zones: DrainZones;

  constructor(view: RepairView) {
    this.#view = view;
    this.#nodes = new Map(view.nodes.map((node) => [node.nodeId, node]));
    this.#scales = new CopyScales(view.nodes, view.replication);
    this.#places = new OneMorePlan(view);
    this.#zones = new DrainZones(view.nodes);
    this.#loads = new CopyLoads(view.active, view.limits);
    this.#active = Map.groupBy(view.active, (copy) => copy.chunkId);
  }

  planChunk(chunk: ShortChunk): readonly PlannedCopy[] {
    const { limits, replication, isPaused } = this.#view;
    const { counted, towards } = this.#scales.weigh(chunk.confirmedNodeIds);
    const purpose = this.#purposeOf(chunk, counted);
    const sourceIds = this.#sourcesOf(chunk);
    if (sourceIds.length === 0 || (isPaused && purpose !== "drain")) return [];
    const active = this.#active.get(chunk.chunkId) ?? [];
    const copies: PlannedCopy[] = active
      .filter((copy) => copy.sentAgoMs >= limits.resendAfterMs)
      .map(({ chunkId, targetId }) => ({ chunkId, targetId, sourceIds, isNewPlace: false, purpose }));
    const isDue = counted <= 1 || purpose !== "repair" || chunk.shortForMs >= limits.delayMs || this.#isOrdered(chunk);
    const takenIds = active.map((copy) => copy.targetId);
    for (let open = replication - towards - active.length; isDue && open > 0; open--) {
      const copy = this.#planCopy(chunk, { purpose, takenIds, isUrgent: counted <= 1 });
      if (copy === undefined) break;
      takenIds.push(copy.targetId);
      copies.push(copy);
    }
    return copies;
  }

  /** Enough copies count: some of them leave. Fewer places than wanted are known: more are wanted than before. */
  #purposeOf(chunk: ShortChunk, counted: number): CopyPurpose {
    if (counted >= this.#view.replication) return "drain";
    return chunk.placedNodeIds.length < this.#view.replication ? "replication" : "repair";
  }

  /** A node with a copy was declared dead or replaced: nobody waits for it. */
  #isOrdered(chunk: ShortChunk): boolean {
    return chunk.confirmedNodeIds
      .map((nodeId) => this.#nodes.get(nodeId))
      .some((node) => node !== undefined && (node.isFailed || node.successorId !== undefined));
  }

  #planCopy(chunk: ShortChunk, { purpose, takenIds, isUrgent }: Wish): PlannedCopy | undefined {
    const { chunkId } = chunk;
    const sourceIds = this.#sourcesOf(chunk);
    const [sourceId] = sourceIds;
    if (sourceId === undefined || !this.#loads.mayGive(sourceId)) return undefined;
    const known = chunk.openNodeIds.filter((nodeId) => !takenIds.includes(nodeId) && this.#isUsable(chunk, nodeId));
    // A node that the log names already comes first, also when it has to be waited for.
    const targetId =
      known.length > 0
        ? known.find((nodeId) => this.#loads.mayTake(nodeId))
        : this.#chooseTarget(chunk, { purpose, takenIds, isUrgent });
    if (targetId === undefined) return undefined;
    this.#loads.note(sourceId, targetId);
    return { chunkId, targetId, sourceIds, isNewPlace: !chunk.placedNodeIds.includes(targetId), purpose };
  }

  /**
   * Who took the place of a node with a copy comes before any draw, so that the others' shares stay as they are. It is waited
   * for while it is busy or silent for a moment, unless one copy is all that is left.
   */
  #chooseTarget(chunk: ShortChunk, wish: Wish): number | undefined {
    const successors = this.#successorsOf(chunk, wish.takenIds);
    const free = successors.find((node) => this.#isUsable(chunk, node.nodeId) && this.#loads.mayTake(node.nodeId));
    if (free !== undefined) return free.nodeId;
    const isWaitedFor = (node: CopyNode): boolean =>
      this.#isUsable(chunk, node.nodeId) || (node.isActive && node.liveness !== "live" && node.liveness !== "dead");
    return !wish.isUrgent && successors.some(isWaitedFor) ? undefined : this.#drawTarget(chunk, wish);
  }

  #successorsOf({ chunkId, placedNodeIds, confirmedNodeIds }: ShortChunk, takenIds: readonly number[]): CopyNode[] {
    const holderIds = new Set([...confirmedNodeIds, ...placedNodeIds]);
    return [...holderIds]
      .map((nodeId) => this.#nodes.get(nodeId)?.successorId)
      .filter((nodeId) => nodeId !== undefined && !holderIds.has(nodeId) && !takenIds.includes(nodeId))
      .filter((nodeId) => nodeId !== undefined && !this.#view.isAvoided(chunkId, nodeId))
      .map((nodeId) => this.#nodes.get(nodeId ?? 0))
      .filter((node) => node !== undefined);
  }

  #drawTarget(chunk: ShortChunk, { purpose, takenIds }: Wish): number | undefined {
    const { isAvoided } = this.#view;
    const { chunkId, placedNodeIds, confirmedNodeIds } = chunk;
    const staying = confirmedNodeIds.filter((nodeId) => this.#nodes.get(nodeId)?.stays === true);
    const holderNodeIds = [...staying, ...takenIds];
    const isExcluded = (nodeId: number): boolean =>
      placedNodeIds.includes(nodeId) ||
      confirmedNodeIds.includes(nodeId) ||
      !this.#loads.mayTake(nodeId) ||
      isAvoided(chunkId, nodeId);
    const isZoneAllowed = purpose === "drain" ? this.#zones.allowed(holderNodeIds, confirmedNodeIds) : undefined;
    return this.#places.draw({ chunkId, holderNodeIds, isExcluded, isZoneAllowed });
  }

  /** Live nodes with a copy, the least burdened first; one that was declared dead or is slow only after all others. */
  #sourcesOf(chunk: ShortChunk): readonly number[] {
    const live = chunk.confirmedNodeIds
      .map((nodeId) => this.#nodes.get(nodeId))
      .filter((node) => node !== undefined)
      .filter((node) => node.liveness === "live");
    const rank = (node: CopyNode): number => (node.isFailed ? 2 : Number(node.isCautioned));
    return live
      .toSorted(
        (left, right) =>
          rank(left) - rank(right) ||
          this.#loads.givenBy(left.nodeId) - this.#loads.givenBy(right.nodeId) ||
          left.nodeId - right.nodeId,
      )
      .map((node) => node.nodeId);
  }

  #isUsable(chunk: ShortChunk, nodeId: number): boolean {
    return this.#places.isUsable(nodeId) && !this.#view.isAvoided(chunk.chunkId, nodeId);
  }
}
