import type { FirstAccounts } from "./auth/first-accounts.ts";
import type { SessionCacheLimits } from "./auth/session-cache.ts";
import type { ChangeFeedLimits } from "./drive/change-feed.ts";

/** What a gateway is told about itself; nothing of it changes while it runs. */
export interface GatewayConfig {
  /** "gateway-1"; the actor of its own commands. */
  readonly name: string;
  /** host:port of every master. */
  readonly masterAddresses: readonly string[];
  /** SHA-256 of the authority's certificate, for join tokens; absent where the cluster speaks in the clear. */
  readonly authorityFingerprint?: string | undefined;
  /** Of the cluster it belongs to; empty = take the masters' word. */
  readonly clusterId: string;
  readonly firstAccounts: FirstAccounts;
  /** Files up to this many bytes travel inside their event. */
  readonly inlineBytesMax: number;
  /** Bytes of each part of an upload but the last; a multiple of the chunk size. */
  readonly partSizeBytes: number;
  /** Longer whole files are kept as parts of this size on the way; a multiple of the chunk size. */
  readonly segmentBytes: number;
  /** What one upload may hold in memory at most. */
  readonly uploadHeldBytesMax: number;
  /** What all uploads together may hold in memory. */
  readonly uploadsHeldBytesMax: number;
  /** Uploads that may wait for their share of it. */
  readonly uploadsWaitingMax: number;
  /** How long one waits at most; less than the idle timeout of its connection. */
  readonly uploadsWaitMsMax: number;
  /** What one download may hold in memory at most. */
  readonly downloadHeldBytesMax: number;
  /** What all downloads at full speed together may hold; the others go on in small pieces. */
  readonly downloadsHeldBytesMax: number;
  readonly sessionCache: SessionCacheLimits;
  readonly changeFeed: ChangeFeedLimits;
  /** Name and number of this build, as `WhoAmI` tells it. */
  readonly version: string;
}

const mebibyte = 1024 * 1024;

/** The defaults of everything that need not be said. */
export const defaultGatewayConfig = {
  name: "gateway-1",
  clusterId: "",
  firstAccounts: { defaultUser: undefined, imported: [] },
  inlineBytesMax: 4096,
  partSizeBytes: 8 * mebibyte,
  segmentBytes: 128 * mebibyte,
  uploadHeldBytesMax: 20 * mebibyte,
  uploadsHeldBytesMax: 256 * mebibyte,
  uploadsWaitingMax: 1024,
  uploadsWaitMsMax: 30_000,
  downloadHeldBytesMax: 20 * mebibyte,
  downloadsHeldBytesMax: 256 * mebibyte,
  sessionCache: { freshMsMax: 10_000, staleMsMax: 30_000, sessionsMax: 10_000 },
  changeFeed: { replayMessagesMax: 4096, behindMessagesMax: 1024, watchersMax: 1000, silenceMsMax: 15_000 },
  version: "holdfast 0.1.0",
} as const satisfies Omit<GatewayConfig, "masterAddresses">;
