/** A smoothed rate of progress. */
export interface Rate {
  readonly bytesPerSecond: number;
  readonly atMs: number;
  readonly sentBytes: number;
  /** When the first sample was taken; the rate is shown only after a while. */
  readonly sinceMs: number;
}

const halfLifeMs = 10_000;
const stableAfterMs = 3000;

/** The first sample. */
export function startRate(sentBytes: number, atMs: number): Rate {
  return { bytesPerSecond: 0, atMs, sentBytes, sinceMs: atMs };
}

/** With one more sample: an exponentially weighted mean over about 10 s. Bytes that go back (a part sent again) count as none. */
export function withSample(rate: Rate, sentBytes: number, atMs: number): Rate {
  const elapsedMs = atMs - rate.atMs;
  if (elapsedMs <= 0) return rate;
  const now = (Math.max(0, sentBytes - rate.sentBytes) * 1000) / elapsedMs;
  const ageMs = atMs - rate.sinceMs;
  const weight = Math.max(1 - 2 ** (-elapsedMs / halfLifeMs), elapsedMs / Math.max(ageMs, elapsedMs));
  return { ...rate, bytesPerSecond: rate.bytesPerSecond + (now - rate.bytesPerSecond) * weight, atMs, sentBytes };
}

/** Time left in ms, or undefined until the rate is stable. */
export function timeLeftMs(rate: Rate, leftBytes: number): number | undefined {
  if (rate.atMs - rate.sinceMs < stableAfterMs || rate.bytesPerSecond < 1) return undefined;
  return (leftBytes / rate.bytesPerSecond) * 1000;
}
