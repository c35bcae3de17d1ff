/** What the scrubber knows. Times are wall-clock ms, because they outlive the process. */
export interface ScrubView {
  readonly nowMs: number;
  /** When each of the 256 buckets was last verified to its end; 0 = never. */
  readonly verifiedAtMs: readonly number[];
  readonly usedBytes: number;
  /** Reads and writes in progress for others. */
  readonly foregroundCount: number;
}

/** Limits of scrubbing. */
export interface ScrubPolicy {
  /** Everything is to be verified once in so long. */
  readonly periodMs: number;
  /** But never slower than this. */
  readonly bytesPerSecondMin: number;
  /** From so many foreground requests on it stands still. */
  readonly foregroundCountMax: number;
  /** Ms to look again when there is nothing to do or others are to be let by. */
  readonly idleMs: number;
  /** A bucket is not verified again before this. */
  readonly againAfterMs: number;
  /** What was verified is written down at most this often; a crash forgets as much, which only means reading it again. */
  readonly saveIntervalMs: number;
}

/** What to do next. */
export type ScrubStep =
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "verify"; readonly bucket: number };

/** The bucket that was verified longest ago, unless there is no hurry or somebody needs the disk. */
export function planScrub(view: ScrubView, policy: ScrubPolicy): ScrubStep {
  const wait = { kind: "wait", delayMs: policy.idleMs } as const;
  if (view.foregroundCount >= policy.foregroundCountMax || view.usedBytes === 0) return wait;
  let oldest = 0;
  let oldestAtMs = Number.POSITIVE_INFINITY;
  for (let bucket = 0; bucket < view.verifiedAtMs.length; bucket++) {
    const writtenMs = view.verifiedAtMs[bucket] ?? 0;
    // A time that is still to come was written by a clock that has been set back since: it says nothing.
    const atMs = writtenMs > view.nowMs ? 0 : writtenMs;
    if (atMs >= oldestAtMs) continue;
    oldest = bucket;
    oldestAtMs = atMs;
    if (atMs === 0) break;
  }
  return view.nowMs - oldestAtMs < policy.againAfterMs ? wait : { kind: "verify", bucket: oldest };
}

/** Ms to rest after so many bytes were verified, to keep the rate. */
export function scrubRestMs(verifiedBytes: number, usedBytes: number, policy: ScrubPolicy): number {
  const bytesPerMs = Math.max(policy.bytesPerSecondMin / 1000, usedBytes / policy.periodMs);
  return verifiedBytes / bytesPerMs;
}
