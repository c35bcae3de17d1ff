/** What a node sees of its readers. */
export interface ForegroundView {
  /** Whether anybody but the cluster itself read or wrote in the last two seconds. */
  readonly isActive: boolean;
  /** Streams of others at present. */
  readonly streamCount: number;
  /** 95th percentile of the first bytes of their reads in that time; 0 = none. */
  readonly readP95Ms: number;
  /** The same while the cluster copied nothing here; undefined = never seen. */
  readonly quietReadP95Ms: number | undefined;
}

/** Limits of yielding. */
export interface YieldPolicy {
  /** Copying never stops: what waits for repair is in danger. */
  readonly shareMin: number;
  /** From so many streams of others on, copying takes at most `crowdedShareMax`. */
  readonly crowdedStreamCount: number;
  readonly crowdedShareMax: number;
  /** Copying slows down when reads take more than this many times what they take without it. */
  readonly slowdownMax: number;
  /** Reads faster than this are never called slow: at that scale they differ by chance. */
  readonly readMsIgnored: number;
}

/**
 * Share of its rate that copying may take until the next look: halved when readers suffer, a quarter more when they do
 * not, doubled when nobody is there.
 */
export function nextShare(share: number, view: ForegroundView, policy: YieldPolicy): number {
  if (!view.isActive) return Math.min(1, share * 2);
  const shareMax = view.streamCount >= policy.crowdedStreamCount ? policy.crowdedShareMax : 1;
  const quietMs = Math.max(policy.readMsIgnored, view.quietReadP95Ms ?? 0);
  const isSuffering = view.readP95Ms > quietMs * policy.slowdownMax;
  const wanted = isSuffering ? share / 2 : share * 1.25;
  return Math.min(shareMax, Math.max(policy.shareMin, wanted));
}

/** The remembered quiet latency after one more look without copying: new values count for a fifth. */
export function nextQuietMs(quietMs: number | undefined, readP95Ms: number): number | undefined {
  if (readP95Ms === 0) return quietMs;
  return quietMs === undefined ? readP95Ms : quietMs * 0.8 + readP95Ms * 0.2;
}
