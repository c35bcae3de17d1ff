import { safeInteger } from "@holdfast/base";
import {
  DrillKind,
  type GetFleetResponse,
  type GetWeakestResponse,
  type WeakPoint,
} from "@holdfast/proto/fleet/v1/fleet";

/** What a node does because it was ordered to. */
export interface FleetTask {
  readonly nodeId: number;
  /** "drain", "maintenance", "failed". */
  readonly kind: string;
  /** 0 = no end. */
  readonly endsAtMs: number;
  readonly copiesTotal: number;
  readonly copiesLeft: number;
  readonly bytesLeft: number;
  /** 0 = unknown or done. */
  readonly remainingMs: number;
  readonly blockedReasons: readonly string[];
  readonly reason: string;
  readonly isSafeToRemove: boolean;
  /** Who took its place; 0 = nobody. */
  readonly replacedByNodeId: number;
}

/** A failure that the product itself injects. */
export interface FleetDrill {
  readonly drillId: bigint;
  readonly nodeId: number;
  readonly kind: DrillWord;
  readonly endsAtMs: number;
}

/** What balancing does. */
export interface Balance {
  readonly isPaused: boolean;
  readonly plannedCount: number;
  readonly activeCount: number;
  readonly bytesPerSecond: number;
  readonly remainingMs: number;
  /** Between the fullest and the emptiest node, as a share of capacity. */
  readonly spread: number;
  readonly stoppedReason: string;
}

/** A token with which a node may join, or has joined. */
export interface JoinTokenState {
  readonly joinTokenId: number;
  readonly label: string;
  readonly expiresAtMs: number;
  /** 0 = unused. */
  readonly usedByNodeId: number;
  /** Whose place the newcomer takes; 0 = nobody's. */
  readonly replacesNodeId: number;
}

/** The fleet at one moment. */
export interface Fleet {
  readonly tasks: readonly FleetTask[];
  readonly drills: readonly FleetDrill[];
  readonly balance: Balance;
  readonly joinTokens: readonly JoinTokenState[];
  readonly isRepairPaused: boolean;
}

/** Kinds of drills as people read them. */
export type DrillWord = "stop" | "partition" | "slow" | "corrupt";

/** In the order in which they are offered. */
export const drillKinds: readonly {
  readonly word: DrillWord;
  readonly kind: DrillKind;
  readonly title: string;
  readonly text: string;
}[] = [
  { word: "stop", kind: DrillKind.STOP, title: "Stop", text: "It answers nobody, as if its process were gone." },
  { word: "partition", kind: DrillKind.PARTITION, title: "Cut off", text: "Its packets are lost: callers wait." },
  { word: "slow", kind: DrillKind.SLOW, title: "Slow disk", text: "Every disk operation takes longer." },
  {
    word: "corrupt",
    kind: DrillKind.CORRUPT,
    title: "Damage a copy",
    text: "One bit of one copy is flipped; others are left.",
  },
];

/** From the wire, numbers checked once. */
export function fleetFromWire(wire: GetFleetResponse): Fleet {
  const { balance } = wire;
  const count = (value: bigint | undefined) => safeInteger(value ?? 0n);
  return {
    tasks: wire.tasks.map((task) => ({
      nodeId: task.nodeId,
      kind: task.kind,
      endsAtMs: count(task.endsAtMs),
      copiesTotal: count(task.copiesTotal),
      copiesLeft: count(task.copiesLeft),
      bytesLeft: count(task.bytesLeft),
      remainingMs: count(task.remainingMs),
      blockedReasons: task.blockedReasons,
      reason: task.reason,
      isSafeToRemove: task.isSafeToRemove,
      replacedByNodeId: task.replacedByNodeId,
    })),
    drills: wire.drills.map((drill) => ({
      drillId: drill.drillId,
      nodeId: drill.nodeId,
      kind: drillKinds.find(({ kind }) => kind === drill.kind)?.word ?? "stop",
      endsAtMs: count(drill.endsAtMs),
    })),
    balance: {
      isPaused: balance?.isPaused ?? false,
      plannedCount: count(balance?.plannedMoves),
      activeCount: count(balance?.activeMoves),
      bytesPerSecond: count(balance?.bytesPerSecond),
      remainingMs: count(balance?.remainingMs),
      spread: (balance?.spreadPerMille ?? 0) / 1000,
      stoppedReason: balance?.stoppedReason ?? "",
    },
    joinTokens: wire.joinTokens.map((token) => ({
      joinTokenId: token.joinTokenId,
      label: token.label,
      expiresAtMs: count(token.expiresAtMs),
      usedByNodeId: token.usedByNodeId,
      replacesNodeId: token.replacesNodeId,
    })),
    isRepairPaused: wire.isRepairPaused,
  };
}

/** A loss and its price. */
export interface Weakness {
  readonly title: string;
  readonly nodeIds: readonly number[];
  readonly zone: string;
  readonly chunksLost: number;
  readonly chunksAtOne: number;
  readonly filesLost: number;
}

/** Node, pair and zone whose loss would hurt most; those that there are not are left out. */
export function weaknessesFromWire({ node, pair, zone }: GetWeakestResponse): readonly Weakness[] {
  const read = (title: string, point: WeakPoint | undefined): readonly Weakness[] =>
    point === undefined || (point.nodeIds.length === 0 && point.zone === "")
      ? []
      : [
          {
            title,
            nodeIds: point.nodeIds,
            zone: point.zone,
            chunksLost: safeInteger(point.chunksLost),
            chunksAtOne: safeInteger(point.chunksAtOne),
            filesLost: safeInteger(point.filesLost),
          },
        ];
  return [...read("Node", node), ...read("Pair of nodes", pair), ...read("Zone", zone)];
}
