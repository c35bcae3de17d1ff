import { planOneMore } from "../../domain/chunks/placement/plan.ts";
import { placementObstacle } from "../../domain/chunks/placement/plan.ts";
import type { PlacementNode } from "../../domain/fleet/placement-nodes.ts";
import { CopyLoads } from "./copy-loads.ts";
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

/** A node as repair sees it. */
export interface RepairNode extends PlacementNode {
  /** Leader time of its NodeDown; undefined while it is up. */
  readonly downAtMs: number | undefined;
}

/** A chunk that somebody needs and that has too few copies. */
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
  readonly nodes: readonly RepairNode[];
  /** Most urgent first. */
  readonly chunks: readonly ShortChunk[];
  readonly active: readonly ActiveCopy[];
  /** Copies that were given up not long ago. */
  readonly isAvoided: (chunkId: number, nodeId: number) => boolean;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  readonly limits: RepairLimits;
}

/** An order to one node. */
export interface PlannedCopy {
  readonly chunkId: number;
  readonly targetId: number;
  /** Best first. */
  readonly sourceIds: readonly number[];
  /** The log does not name the target yet. */
  readonly isNewPlace: boolean;
}

/** What to do now. */
export interface RepairPlan {
  readonly copies: readonly PlannedCopy[];
  /** Why nothing is copied; empty when it goes on. */
  readonly stoppedReason: string;
}

/** Orders that go out now: those that were not answered, and new ones within the limits, most urgent chunk first. */
export function planRepair(view: RepairView): RepairPlan {
  const stoppedReason = explainMassLoss(view.nodes, view.limits);
  if (stoppedReason !== "") return { copies: [], stoppedReason };
  const planning = new Planning(view);
  return { copies: view.chunks.flatMap((chunk) => planning.planChunk(chunk)), stoppedReason: "" };
}

class Planning {
  readonly #view: RepairView;
  readonly #nodes: ReadonlyMap<number, RepairNode>;
  readonly #loads: CopyLoads;
  readonly #active: ReadonlyMap<number, readonly ActiveCopy[]>;

  constructor(view: RepairView) {
    this.#view = view;
    this.#nodes = new Map(view.nodes.map((node) => [node.nodeId, node]));
    this.#loads = new CopyLoads(view.active, view.limits);
    this.#active = Map.groupBy(view.active, (copy) => copy.chunkId);
  }

  planChunk(chunk: ShortChunk): readonly PlannedCopy[] {
    const { limits, replication } = this.#view;
    const counted = chunk.confirmedNodeIds.filter((nodeId) => this.#nodes.get(nodeId)?.downAtMs === undefined);
    const sourceIds = this.#sourcesOf(chunk);
    if (sourceIds.length === 0) return [];
    const active = this.#active.get(chunk.chunkId) ?? [];
    const copies: PlannedCopy[] = active
      .filter((copy) => copy.sentAgoMs >= limits.resendAfterMs)
      .map(({ chunkId, targetId }) => ({ chunkId, targetId, sourceIds, isNewPlace: false }));
    const isUrgent = counted.length <= 1 || chunk.shortForMs >= limits.delayMs;
    const takenIds = active.map((copy) => copy.targetId);
    for (let open = replication - counted.length - active.length; isUrgent && open > 0; open--) {
      const copy = this.#planCopy(chunk, { counted, takenIds });
      if (copy === undefined) break;
      takenIds.push(copy.targetId);
      copies.push(copy);
    }
    return copies;
  }

  #planCopy(
    chunk: ShortChunk,
    { counted, takenIds }: { readonly counted: readonly number[]; readonly takenIds: readonly number[] },
  ): PlannedCopy | undefined {
    const { chunkId } = chunk;
    const sourceIds = this.#sourcesOf(chunk);
    const [sourceId] = sourceIds;
    if (sourceId === undefined || !this.#loads.mayGive(sourceId)) return undefined;
    const known = chunk.openNodeIds.filter((nodeId) => !takenIds.includes(nodeId) && this.#isUsable(chunk, nodeId));
    // A node that the log names already comes first, also when it has to be waited for.
    const targetId =
      known.length > 0
        ? known.find((nodeId) => this.#loads.mayTake(nodeId))
        : this.#drawTarget(chunk, counted, takenIds);
    if (targetId === undefined) return undefined;
    this.#loads.note(sourceId, targetId);
    return { chunkId, targetId, sourceIds, isNewPlace: !chunk.placedNodeIds.includes(targetId) };
  }

  #drawTarget(chunk: ShortChunk, counted: readonly number[], takenIds: readonly number[]): number | undefined {
    const { nodes, chunkSizeBytes, isAvoided } = this.#view;
    const barred = nodes
      .map((node) => node.nodeId)
      .filter((nodeId) => isAvoided(chunk.chunkId, nodeId) || !this.#loads.mayTake(nodeId));
    return planOneMore({
      nodes,
      chunkId: chunk.chunkId,
      holderNodeIds: counted,
      excludedNodeIds: [...chunk.placedNodeIds, ...chunk.confirmedNodeIds, ...takenIds, ...barred],
      chunkSizeBytes,
    });
  }

  /** Live nodes with a copy, the least burdened first. */
  #sourcesOf(chunk: ShortChunk): readonly number[] {
    const live = chunk.confirmedNodeIds.filter((nodeId) => this.#nodes.get(nodeId)?.liveness === "live");
    const burden = (nodeId: number): number => this.#loads.givenBy(nodeId);
    return live.toSorted((left, right) => burden(left) - burden(right) || left - right);
  }

  #isUsable(chunk: ShortChunk, nodeId: number): boolean {
    const node = this.#nodes.get(nodeId);
    if (node === undefined || this.#view.isAvoided(chunk.chunkId, nodeId)) return false;
    return placementObstacle(node, this.#view.chunkSizeBytes) === undefined;
  }
}
