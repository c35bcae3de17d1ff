import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";

/** What is observed of a node. */
export const livenessWords: Readonly<Record<number, string>> = {
  [Liveness.UNSPECIFIED]: "unknown",
  [Liveness.LIVE]: "live",
  [Liveness.SUSPECT]: "suspect",
  [Liveness.DEAD]: "dead",
};
/** What is ordered of a node. */
export const intentWords: Readonly<Record<number, string>> = {
  [Intent.UNSPECIFIED]: "unknown",
  [Intent.ACTIVE]: "active",
  [Intent.DRAINING]: "draining",
  [Intent.DRAINED]: "drained",
  [Intent.MAINTENANCE]: "maintenance",
  [Intent.REMOVED]: "removed",
  [Intent.FAILED]: "failed",
};

/** The drills by the word people type. */
export const drillKinds: Readonly<Record<string, DrillKind>> = {
  stop: DrillKind.STOP,
  partition: DrillKind.PARTITION,
  slow: DrillKind.SLOW,
  corrupt: DrillKind.CORRUPT,
};

/** The word of a drill. */
export function drillWord(kind: DrillKind): string {
  return Object.entries(drillKinds).find(([, known]) => known === kind)?.[0] ?? "unknown";
}
