/** How a node's readers fare, by its own word of the last seconds. */
export interface ReaderSample {
  readonly nodeId: number;
  /** 95th percentile until a read's first byte, in 0.1 ms; 0 = nobody read. */
  readonly readP95TenthMs: number;
  /** Copies are fetched from it or by it at present. */
  readonly isCopying: boolean;
}

/** What is remembered of a node between two looks. */
export interface ReaderState {
  /** Part of the allowed rate that copying may use there. */
  readonly share: number;
  /** What readers waited while nothing was copied; 0 = not known. */
  readonly restP95TenthMs: number;
}

/** How copying gives way. */
export interface YieldLimits {
  /** Readers may wait so many times as long as at rest before copying slows down. */
  readonly slowdownMax: number;
  /** Waits below this are never too long, in 0.1 ms: tiny ones double by chance. */
  readonly bearableTenthMs: number;
  /** Copying never gets less than this part: a chunk with too few copies is at risk as long as it lasts. */
  readonly shareMin: number;
  /** The part comes back so fast, a look. */
  readonly shareStep: number;
}

/** Nobody waited for anybody yet. */
export const restedReader: ReaderState = { share: 1, restP95TenthMs: 0 };

/** How much of a new wait at rest replaces the remembered one. */
const restWeight = 0.2;

/**
 * The next state of a node: while copying goes on, its part is halved when readers wait too long, and grows back in steps
 * when they do not; while nothing is copied, what readers wait is learned. To be asked about once a report.
 */
export function nextReaderState(state: ReaderState, sample: ReaderSample, limits: YieldLimits): ReaderState {
  const { readP95TenthMs, isCopying } = sample;
  const { restP95TenthMs } = state;
  if (!isCopying) {
    const learned =
      restP95TenthMs === 0 ? readP95TenthMs : restP95TenthMs + restWeight * (readP95TenthMs - restP95TenthMs);
    return { share: 1, restP95TenthMs: readP95TenthMs === 0 ? restP95TenthMs : learned };
  }
  const tooLongTenthMs = Math.max(limits.bearableTenthMs, limits.slowdownMax * restP95TenthMs);
  const share =
    readP95TenthMs > tooLongTenthMs
      ? Math.max(limits.shareMin, state.share / 2)
      : Math.min(1, state.share + limits.shareStep);
  return { share, restP95TenthMs };
}

/** The states of all nodes, for the leader; begins anew with every leadership. */
export class ReaderPace {
  readonly #limits: YieldLimits;
  #states: ReadonlyMap<number, ReaderState> = new Map();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: YieldLimits) {
    this.#limits = limits;
  }

  /** Takes the samples of this moment; more often than once a second changes nothing. */
  look(samples: readonly ReaderSample[], nowMs: number): void {
    if (nowMs - this.#lookedAtMs < 1000) return;
    this.#lookedAtMs = nowMs;
    this.#states = new Map(
      samples.map((sample) => [
        sample.nodeId,
        nextReaderState(this.#states.get(sample.nodeId) ?? restedReader, sample, this.#limits),
      ]),
    );
  }

  /** The part of the rate that a copy between these nodes may use: what the worse one of both can bear. */
  shareOf(nodeIds: readonly number[]): number {
    return Math.min(1, ...nodeIds.map((nodeId) => this.#states.get(nodeId)?.share ?? 1));
  }
}
