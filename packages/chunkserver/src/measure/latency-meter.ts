import type { Clock } from "@holdfast/runtime";

const windowMs = 1000;
const windowCount = 10;
const recentWindows = 2;
/** Bucket n holds durations up to `durationMsMin * growth ** n`: 0.05 ms to about ten minutes, each 15 % wide. */
const bucketCount = 120;
const durationMsMin = 0.05;
const growth = 1.15;

/** How fast a node answered in the last ten seconds; zero where nothing happened. */
export interface LatencySummary {
  readonly writeP50Ms: number;
  readonly writeP95Ms: number;
  readonly readP50Ms: number;
  readonly readP95Ms: number;
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
}

class Window {
  startMs = 0;
  readonly writes = new Uint32Array(bucketCount);
  readonly reads = new Uint32Array(bucketCount);
  writtenBytes = 0;
  readBytes = 0;

  reset(startMs: number): void {
    this.startMs = startMs;
    this.writes.fill(0);
    this.reads.fill(0);
    this.writtenBytes = 0;
    this.readBytes = 0;
  }
}

/** Counts durations and bytes of the last ten seconds in fixed memory (about 10 KB); nothing is kept for each request. */
export class LatencyMeter {
  readonly #clock: Clock;
  readonly #windows = Array.from({ length: windowCount }, () => new Window());

  constructor(clock: Clock) {
    this.#clock = clock;
    for (const window of this.#windows) window.reset(Number.NEGATIVE_INFINITY);
  }

  /** A chunk became durable after the disk had its writer wait for so long. */
  noteWrite(durationMs: number): void {
    count(this.#window().writes, durationMs);
  }

  /** The first bytes of a read were there after so long. */
  noteRead(durationMs: number): void {
    count(this.#window().reads, durationMs);
  }

  /** Bytes came in. */
  addWrittenBytes(bytes: number): void {
    this.#window().writtenBytes += bytes;
  }

  /** Bytes went out. */
  addReadBytes(bytes: number): void {
    this.#window().readBytes += bytes;
  }

  /** Reads and writes for others in the last two seconds: those that were timed. */
  recent(): { readonly isActive: boolean; readonly readP95Ms: number } {
    const oldestMs = this.#clock.monotonicMs() - windowMs * recentWindows;
    const windows = this.#windows.filter(({ startMs }) => startMs > oldestMs);
    const reads = sumOf(windows.map((window) => window.reads));
    const isActive = [reads, ...windows.map((window) => window.writes)].some((buckets) =>
      buckets.some((each) => each > 0),
    );
    return { isActive, readP95Ms: quantile(reads, 0.95) };
  }

  /** The last ten seconds. */
  summary(): LatencySummary {
    const oldestMs = this.#clock.monotonicMs() - windowMs * windowCount;
    const windows = this.#windows.filter(({ startMs }) => startMs > oldestMs);
    const writes = sumOf(windows.map((window) => window.writes));
    const reads = sumOf(windows.map((window) => window.reads));
    const perSecond = (bytes: (window: Window) => number): number =>
      Math.round(windows.reduce((sum, window) => sum + bytes(window), 0) / windowCount);
    return {
      writeP50Ms: quantile(writes, 0.5),
      writeP95Ms: quantile(writes, 0.95),
      readP50Ms: quantile(reads, 0.5),
      readP95Ms: quantile(reads, 0.95),
      writeBytesPerSecond: perSecond((window) => window.writtenBytes),
      readBytesPerSecond: perSecond((window) => window.readBytes),
    };
  }

  #window(): Window {
    const nowMs = this.#clock.monotonicMs();
    const number = Math.floor(nowMs / windowMs);
    // There is one for every remainder.
    const window = this.#windows[number % windowCount] as Window;
    if (window.startMs !== number * windowMs) window.reset(number * windowMs);
    return window;
  }
}

function count(buckets: Uint32Array, durationMs: number): void {
  const exact = Math.ceil(Math.log(Math.max(durationMs, durationMsMin) / durationMsMin) / Math.log(growth));
  const bucket = Math.min(bucketCount - 1, Math.max(0, exact));
  buckets[bucket] = (buckets[bucket] ?? 0) + 1;
}

function sumOf(parts: readonly Uint32Array[]): Uint32Array {
  const sum = new Uint32Array(bucketCount);
  for (const part of parts)
    for (let bucket = 0; bucket < bucketCount; bucket++) sum[bucket] = (sum[bucket] ?? 0) + (part[bucket] ?? 0);
  return sum;
}

/** Upper end of the bucket that holds it; 0 when nothing was counted. */
function quantile(buckets: Uint32Array, share: number): number {
  const total = buckets.reduce((sum, each) => sum + each, 0);
  if (total === 0) return 0;
  const wanted = Math.ceil(total * share);
  let seen = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    seen += buckets[bucket] ?? 0;
    if (seen >= wanted) return durationMsMin * growth ** bucket;
  }
  return durationMsMin * growth ** bucketCount;
}
