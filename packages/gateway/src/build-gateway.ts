import { isHoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { createAdmin, type Admin } from "./admin/admin.ts";
import { createFleet, type Fleet } from "./admin/fleet.ts";
import type { LocalNodes } from "./admin/local-nodes.ts";
import { createReplacementStart, type StartReplacement } from "./admin/start-replacement.ts";
import { StatusFeed } from "./admin/status-feed.ts";
import {
  followSetUp,
  seedFirstAccounts,
  type FirstAccounts,
  type FirstAccountsParts,
  type SetupLink,
} from "./auth/first-accounts.ts";
import type { PasswordHasher } from "./auth/password-hasher.ts";
import { SessionCache } from "./auth/session-cache.ts";
import { createSessions, type Sessions } from "./auth/sessions.ts";
import { SignInThrottle } from "./auth/sign-in-throttle.ts";
import { ByteBudget } from "./drive/byte-budget.ts";
import { ChangeFeed } from "./drive/change-feed.ts";
import { createDrive, type Drive } from "./drive/drive.ts";
import type { FileBytes, Masters } from "./drive/ports.ts";
import type { GatewayConfig } from "./gateway-config.ts";
import { Readiness } from "./readiness.ts";

/** A gateway as its adapters (HTTP, Connect, the simulator) use it. */
export interface Gateway {
  readonly config: GatewayConfig;
  readonly drive: Drive;
  readonly sessions: Sessions;
  readonly admin: Admin;
  readonly fleet: Fleet;
  readonly localNodes: LocalNodes;
  readonly startReplacement: StartReplacement;
  readonly readiness: Readiness;
  /** Ends all watches and background work. */
  stop(): Promise<void>;
}

/** The world a gateway lives in, with the masters and nodes already behind interfaces. */
export interface GatewayParts {
  readonly masters: Masters;
  readonly bytes: FileBytes;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly passwordHasher: PasswordHasher;
  readonly setupLink: SetupLink;
  readonly localNodes: LocalNodes;
  /** Closed when the gateway stops. */
  readonly close: () => Promise<void>;
}

/** Puts a gateway together and starts following the masters. */
export function assembleGateway(config: GatewayConfig, parts: GatewayParts): Gateway {
  const { masters, clock, timers, random, logger } = parts;
  const feed = new ChangeFeed({ masters, timers, logger, limits: config.changeFeed });
  const cache = new SessionCache(clock, config.sessionCache);
  const statusFeed = new StatusFeed(masters, timers);
  feed.listen((message) => {
    cache.onChange(message);
    statusFeed.onChange(message);
  });
  const throttle = new SignInThrottle(clock);
  const sessions = createSessions({ masters, hasher: parts.passwordHasher, throttle, cache, clock, random });
  const waiting = { waitingMax: config.uploadsWaitingMax, waitMsMax: config.uploadsWaitMsMax };
  const budget = new ByteBudget({ ...waiting, heldBytesMax: config.uploadsHeldBytesMax }, timers);
  const readBudget = new ByteBudget({ ...waiting, heldBytesMax: config.downloadsHeldBytesMax }, timers);
  const { inlineBytesMax, partSizeBytes, segmentBytes, uploadHeldBytesMax, downloadHeldBytesMax } = config;
  const held = { uploadHeldBytesMax, downloadHeldBytesMax, budget, readBudget };
  const options = { inlineBytesMax, partSizeBytes, segmentBytes, ...held, random, logger };
  const drive = createDrive({ masters, bytes: parts.bytes, feed, timers, options });
  const readiness = new Readiness(masters, clock);
  const stopping = new AbortController();
  feed.start();
  const accounts = runFirstAccounts(
    { ...parts, gatewayName: config.name, hasher: parts.passwordHasher },
    {
      accounts: config.firstAccounts,
      signal: stopping.signal,
      onSeeded: () => readiness.accountsSeeded(),
    },
  );
  const { localNodes } = parts;
  const fleet = createFleet({
    ...{ masters, masterAddresses: config.masterAddresses, random, clock },
    authorityFingerprint: config.authorityFingerprint,
  });
  return {
    config,
    drive,
    sessions,
    admin: createAdmin({ masters, hasher: parts.passwordHasher, statusFeed }),
    ...{ fleet, localNodes },
    startReplacement: createReplacementStart({ fleet, localNodes, random }),
    readiness,
    async stop() {
      stopping.abort();
      statusFeed.stop();
      await feed.stop();
      await accounts;
      await parts.close();
    },
  };
}

/** Never rejects: a failure is logged, and the gateway stays not ready. */
async function runFirstAccounts(
  parts: FirstAccountsParts,
  run: { readonly accounts: FirstAccounts; readonly signal: AbortSignal; readonly onSeeded: () => void },
): Promise<void> {
  try {
    const isSetUpNeeded = await seedFirstAccounts(parts, run.accounts, run.signal);
    run.onSeeded();
    if (isSetUpNeeded) await followSetUp(parts, run.signal);
  } catch (thrown) {
    if (run.signal.aborted && isHoldfastError(thrown, "cancelled")) return;
    parts.logger.error("gateway.first_accounts_failed", {
      reason: thrown instanceof Error ? thrown.message : String(thrown),
    });
  }
}
