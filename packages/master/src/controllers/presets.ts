import type { BalancePace } from "./balance/balancer.ts";
import type { BalanceLimits } from "./balance/plan.ts";
import type { CautionLimits } from "./liveness/cautions.ts";
import type { LivenessLimits } from "./liveness/plan.ts";
import type { YieldLimits } from "./repair/reader-pace.ts";
import type { RepairLimits } from "./repair/plan.ts";

/** Times and rates that differ between trying the product out and running it. */
export interface Preset {
  readonly liveness: LivenessLimits;
  readonly caution: CautionLimits;
  readonly garbageIntervalMs: number;
  readonly expiryIntervalMs: number;
  readonly purgeIntervalMs: number;
  readonly repair: RepairLimits & RepairPace;
  readonly balance: BalanceLimits & BalancePace;
  readonly yield: YieldLimits;
}

/** How often repair looks, and what one node's fetching may take. */
export interface RepairPace {
  readonly intervalMs: number;
  /** Bytes a second that a node fetches at most. */
  readonly bytesPerSecondMax: number;
}

const mebibyte = 1024 * 1024;

/** Limits that are the same everywhere. */
const repairThrottle = { inPerTargetMax: 2, outPerSourceMax: 4, ordersPerPullMax: 8, vanishedShareMax: 0.3 } as const;

/** Only what people notice counts as slow, and only when it lasts. */
const cautionLimits = {
  slowFactor: 3,
  fineFactor: 2,
  writeFloorTenthMs: 1000,
  readFloorTenthMs: 500,
  slowForMs: 4000,
  fineForMs: 15_000,
  flapsMin: 3,
  flapHoldMsMin: 30_000,
  flapHoldMsMax: 600_000,
  breaksMin: 4,
  breakHoldMs: 30_000,
} as const;

/** `demo` shows things happen; `production` prefers quiet. */
export const presets = {
  demo: {
    liveness: { suspectAfterMs: 3000, deadAfterMs: 10_000 },
    caution: cautionLimits,
    garbageIntervalMs: 1000,
    expiryIntervalMs: 5000,
    purgeIntervalMs: 500,
    repair: {
      ...repairThrottle,
      intervalMs: 250,
      delayMs: 5000,
      extraGraceMs: 20_000,
      resendAfterMs: 3000,
      giveUpAfterMs: 30_000,
      vanishedWindowMs: 30_000,
      bytesPerSecondMax: 36 * mebibyte,
    },
    balance: {
      intervalMs: 500,
      toleranceOfCapacity: 0,
      toleranceOfFairShare: 0.1,
      movesMax: 16,
      inPerTargetMax: 8,
      outPerSourceMax: 4,
      bytesPerSecondMax: 32 * mebibyte,
    },
    yield: { slowdownMax: 2, bearableTenthMs: 100, shareMin: 0.4, shareStep: 0.1 },
  },
  production: {
    liveness: { suspectAfterMs: 3000, deadAfterMs: 10_000 },
    caution: cautionLimits,
    garbageIntervalMs: 10_000,
    expiryIntervalMs: 30_000,
    purgeIntervalMs: 1000,
    repair: {
      ...repairThrottle,
      intervalMs: 1000,
      delayMs: 600_000,
      extraGraceMs: 3_600_000,
      resendAfterMs: 5000,
      giveUpAfterMs: 60_000,
      vanishedWindowMs: 600_000,
      bytesPerSecondMax: 40 * mebibyte,
    },
    balance: {
      intervalMs: 2000,
      toleranceOfCapacity: 0.05,
      toleranceOfFairShare: 0.05,
      movesMax: 64,
      inPerTargetMax: 4,
      outPerSourceMax: 2,
      bytesPerSecondMax: 16 * mebibyte,
    },
    yield: { slowdownMax: 2, bearableTenthMs: 50, shareMin: 0.25, shareStep: 0.05 },
  },
} as const satisfies Record<string, Preset>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;
