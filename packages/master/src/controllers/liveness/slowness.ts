/** How fast a node answered in the last ten seconds, in 0.1 ms; 0 = nothing happened. */
export interface LatencySample {
  readonly nodeId: number;
  /** 95th percentile of durable writes. */
  readonly writeP95TenthMs: number;
  /** 95th percentile of first bytes of reads. */
  readonly readP95TenthMs: number;
}

/** When a node that answers is too slow to be used first. */
export interface SlownessLimits {
  /** So many times the median of the other nodes is slow. */
  readonly slowFactor: number;
  /** A gray node is fine again below so many times the median. */
  readonly fineFactor: number;
  /** Whatever the others do, a write below this is not slow. */
  readonly writeFloorTenthMs: number;
  /** The same for reads. */
  readonly readFloorTenthMs: number;
  /** Slow for so long makes a node gray. */
  readonly slowForMs: number;
  /** Fine for so long ends it; a node that nobody asks any more is tried again after three times this. */
  readonly fineForMs: number;
}

/** What is remembered of a node between two looks. */
export interface Slowness {
  readonly isGray: boolean;
  /** Since when it looks the other way; undefined while it looks as it is called. */
  readonly otherwiseSinceMs: number | undefined;
  /** Since when nobody asked it for anything. */
  readonly idleSinceMs: number | undefined;
  /** Why it is gray; empty while it is not. */
  readonly reason: string;
}

/** One look at all nodes that report. */
export interface SlownessView {
  readonly nowMs: number;
  readonly samples: readonly LatencySample[];
  readonly limits: SlownessLimits;
}

/** Others that must have something to compare with: the median of one node is that node. */
const othersMin = 2;

/** What to remember from this look on. Nodes without a sample are forgotten. */
export function planSlowness(memory: ReadonlyMap<number, Slowness>, view: SlownessView): ReadonlyMap<number, Slowness> {
  const { nowMs, samples, limits } = view;
  const look: Look = {
    ...{ nowMs, limits },
    writes: sortedPositive(samples.map((sample) => sample.writeP95TenthMs)),
    reads: sortedPositive(samples.map((sample) => sample.readP95TenthMs)),
  };
  return new Map(samples.map((sample) => [sample.nodeId, judge(memory.get(sample.nodeId), sample, look)]));
}

/** One look, with what all nodes took, ascending. */
interface Look extends Pick<SlownessView, "nowMs" | "limits"> {
  readonly writes: readonly number[];
  readonly reads: readonly number[];
}

const fine: Slowness = { isGray: false, otherwiseSinceMs: undefined, idleSinceMs: undefined, reason: "" };

function judge(before: Slowness = fine, sample: LatencySample, look: Look): Slowness {
  const { nowMs, limits } = look;
  const isIdle = sample.writeP95TenthMs === 0 && sample.readP95TenthMs === 0;
  if (isIdle) {
    const idleSinceMs = before.idleSinceMs ?? nowMs;
    const isTriedAgain = nowMs - idleSinceMs >= 3 * limits.fineForMs;
    return isTriedAgain ? { ...fine, idleSinceMs } : { ...before, idleSinceMs };
  }
  const reasons = slowReasons(sample, look, before.isGray ? "fine" : "slow");
  const isOtherwise = before.isGray ? reasons.length === 0 : reasons.length > 0;
  if (!isOtherwise) {
    const reason = before.isGray ? reasons.join("; ") : "";
    return { isGray: before.isGray, otherwiseSinceMs: undefined, idleSinceMs: undefined, reason };
  }
  const otherwiseSinceMs = before.otherwiseSinceMs ?? nowMs;
  const neededMs = before.isGray ? limits.fineForMs : limits.slowForMs;
  if (nowMs - otherwiseSinceMs < neededMs) return { ...before, otherwiseSinceMs, idleSinceMs: undefined };
  return before.isGray ? fine : { ...fine, isGray: true, reason: reasons.join("; ") };
}

/** In words, what is slower than it may be: to become gray (`slow`), or to stay so (`fine`). */
function slowReasons(sample: LatencySample, look: Look, bar: "slow" | "fine"): readonly string[] {
  const { limits, writes, reads } = look;
  const factor = bar === "slow" ? limits.slowFactor : limits.fineFactor;
  const floorShare = bar === "slow" ? 1 : limits.fineFactor / limits.slowFactor;
  const kinds = [
    { what: "writes take", own: sample.writeP95TenthMs, all: writes, floor: limits.writeFloorTenthMs },
    { what: "reads take", own: sample.readP95TenthMs, all: reads, floor: limits.readFloorTenthMs },
  ];
  return kinds.flatMap(({ what, own, all, floor }) => {
    if (own <= floor * floorShare || all.length <= othersMin) return [];
    const median = medianWithout(all, own);
    if (own <= median * factor) return [];
    return [`${what} ${millisText(own)} (95th percentile), ${millisText(median)} on the other nodes`];
  });
}

/**
 * The median of the others, by leaving out one of the ascending values. The lower of the two middle ones: half of the
 * others being slow is no reason to call a node fine.
 */
function medianWithout(sorted: readonly number[], own: number): number {
  const middle = Math.floor((sorted.length - 2) / 2);
  const value = sorted[middle] ?? 0;
  return value < own ? value : (sorted[middle + 1] ?? 0);
}

function sortedPositive(values: readonly number[]): readonly number[] {
  return values.filter((value) => value > 0).toSorted((left, right) => left - right);
}

function millisText(tenthMs: number): string {
  return `${tenthMs < 100 ? tenthMs / 10 : Math.round(tenthMs / 10)} ms`;
}
