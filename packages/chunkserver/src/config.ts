import type { ReporterIntervals } from "./heartbeat/reporter.ts";
import type { ReplicateLimits } from "./replicate/replicator.ts";
import type { ScrubPolicy } from "./scrub/plan.ts";
import type { ForwardLimits } from "./services/chunk-forwarder.ts";
import type { ChunkStoreLimits } from "./store/file-chunk-store-options.ts";

/** Everything that can be said about one chunkserver. */
export interface ChunkserverConfig {
  /** Name its administrator gave it; empty = the one it had before, else one made from its identity. */
  readonly name: string;
  /** host:port to serve on; port 0 = any free one; empty = where the masters can reach it. */
  readonly listenAddress: string;
  /** host:port others reach it at; empty = the one it listens on. */
  readonly advertisedAddress: string;
  /** host:port of all masters known; empty = those that the identity file remembers. */
  readonly masterAddresses: readonly string[];
  /** Absolute path; belongs to this node alone. */
  readonly dataDirectory: string;
  /** Absolute paths of further directories of this node, one for each further disk. */
  readonly moreDataDirectories: readonly string[];
  /** What lets this node in before it belongs: a join token's secret or the cluster's join secret; empty = nothing. */
  readonly joinCredential: string;
  /** Refuse any other cluster; empty = whichever welcomes it first. */
  readonly expectedClusterId: string;
  /** Failure domain. */
  readonly zone: string;
  /** Failure domain inside the zone. */
  readonly rack: string;
  readonly store: ChunkStoreLimits;
  readonly forward: ForwardLimits;
  readonly reporter: ReporterIntervals;
  readonly scrub: ScrubPolicy;
  readonly replicate: ReplicateLimits;
  /** Ms that calls in progress get at the end. */
  readonly stopGraceMs: number;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;
const mebibyte = 1024 * 1024;

/** What is the same everywhere. */
export const chunkserverDefaults = {
  store: {
    capacityBytesMax: undefined,
    activeWritesMax: 256,
    activeReadsMax: 256,
    bufferedBytesMax: 64 * mebibyte,
    concurrentSyncsMax: 8,
    directorySyncDelayMs: 2,
    spaceCheckIntervalMs: 5 * secondMs,
    trashRetentionMs: 10 * minuteMs,
  },
  forward: { backlogBytesMax: 4 * mebibyte, stallMs: 2 * secondMs, ackTimeoutMs: 15 * secondMs },
  reporter: {
    reportIntervalMs: secondMs,
    changeDelayMs: 100,
    welcomeTimeoutMs: 3 * secondMs,
    retryDelayMsMin: 100,
    retryDelayMsMax: 2 * secondMs,
    refusedDelayMs: 10 * secondMs,
  },
  scrub: {
    periodMs: 7 * dayMs,
    bytesPerSecondMin: mebibyte,
    foregroundCountMax: 4,
    idleMs: secondMs,
    againAfterMs: dayMs,
    saveIntervalMs: 30 * secondMs,
  },
  replicate: {
    ...{ pullsMax: 2, waitingMax: 256, stallMs: 10 * secondMs, sourceReadsMax: 4, bytesPerSecondMax: 64 * mebibyte },
    yielding: { shareMin: 0.1, crowdedStreamCount: 8, crowdedShareMax: 0.25, slowdownMax: 2, readMsIgnored: 5 },
  },
  zone: "",
  rack: "",
  joinCredential: "",
  moreDataDirectories: [],
  advertisedAddress: "",
  expectedClusterId: "",
  stopGraceMs: 3 * secondMs,
} as const satisfies Partial<ChunkserverConfig>;

/** Ms a trimmed copy stays in the trash: long where data matters, short where people try things out. */
export const trashRetentionMsByPreset = { demo: 10 * minuteMs, production: dayMs } as const;

/** Scrubbing that reads everything once in `periodMs`; a short period also looks again sooner. */
export function scrubPolicyFor(periodMs: number): ScrubPolicy {
  const { scrub } = chunkserverDefaults;
  return { ...scrub, periodMs, againAfterMs: Math.min(scrub.againAfterMs, periodMs / 2) };
}
