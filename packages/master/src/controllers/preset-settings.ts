import type { Preset } from "./presets.ts";

/** A setting that overrides one number of the preset. */
interface PresetSetting {
  readonly type: "integer";
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly help: string;
}

/** What stands for "as the preset says". */
const fromPreset = -1;
const dayMs = 86_400_000;

function number(unit: string, max: number, help: string): PresetSetting {
  return { type: "integer", unit, min: fromPreset, max, default: fromPreset, help: `${help} -1 = as the preset says.` };
}

/** Rows of the settings with which a process overrides its preset; every time and rate is one. */
export const presetSettings = {
  suspectAfterMs: number("ms", dayMs, "A node that is silent for so long is suspect."),
  deadAfterMs: number("ms", dayMs, "A node that is silent for so long is dead."),
  garbageIntervalMs: number("ms", dayMs, "Pause between two looks for chunks that nobody needs."),
  expiryIntervalMs: number("ms", dayMs, "Pause between two looks for uploads and sessions that are over."),
  purgeIntervalMs: number("ms", dayMs, "Pause between two steps of purging folders."),
  repairIntervalMs: number("ms", dayMs, "Pause between two looks at the copies."),
  repairDelayMs: number(
    "ms",
    30 * dayMs,
    "A chunk with two or more copies left is short for so long before it is copied.",
  ),
  repairExtraGraceMs: number("ms", 30 * dayMs, "A chunk has too many copies for so long before one is removed."),
  repairInPerTargetMax: number("copies", 64, "Copies that one node fetches at once."),
  repairOutPerSourceMax: number("copies", 64, "Copies that one node gives at once."),
  repairOrdersPerPullMax: number("orders", 64, "Orders out for each of those."),
  repairResendAfterMs: number("ms", dayMs, "An order that nobody answered is sent again."),
  repairGiveUpAfterMs: number("ms", dayMs, "A copy that was not made goes to another node."),
  repairVanishedPercent: number("percent", 100, "So many of the nodes gone together stop automatic repair."),
  repairVanishedWindowMs: number("ms", dayMs, "What together means."),
  repairBytesPerSecondMax: number("bytes/s", 2 ** 40, "Bytes a second that one node fetches for repair and drain."),
  balanceIntervalMs: number("ms", dayMs, "Pause between two looks at how full the nodes are."),
  balanceCapacityPercent: number("percent", 100, "Unequal by so much of its capacity, a node is balanced ..."),
  balanceFairSharePercent: number("percent", 1000, "... or by so much of its fair share, whichever is more."),
  balanceMovesMax: number("moves", 1024, "Moves under way at once, in all."),
  balanceInPerTargetMax: number("moves", 64, "Moves under way to one node."),
  balanceOutPerSourceMax: number("moves", 64, "Moves under way from one node."),
  balanceBytesPerSecondMax: number("bytes/s", 2 ** 40, "Bytes a second that one node fetches for balance."),
  yieldSlowdownPercent: number(
    "percent",
    10_000,
    "Readers may wait so much of what they wait at rest before copying slows down.",
  ),
  yieldBearableTenthMs: number("0.1 ms", 1_000_000, "Waits below this are never too long."),
  yieldShareMinPercent: number("percent", 100, "Copying never gets less than this part of its rate."),
  yieldShareStepPercent: number("percent", 100, "The part that comes back a second."),
  grayFactorPercent: number("percent", 10_000, "A node so much slower than the median of the others is gray ..."),
  grayOverFactorPercent: number("percent", 10_000, "... until it is below this."),
  grayWriteTenthMs: number("0.1 ms", 1_000_000, "Writes faster than this are never slow."),
  grayReadTenthMs: number("0.1 ms", 1_000_000, "Reads faster than this are never slow."),
  grayAfterMs: number("ms", dayMs, "Slow for so long makes a node gray."),
  grayOverAfterMs: number("ms", dayMs, "Fast for so long ends it."),
  flapsMin: number("times", 100, "A node that went down so often, each time within ten minutes, is held back."),
  flapHoldMsMin: number("ms", dayMs, "It gets new copies last for so long, doubled with every further time ..."),
  flapHoldMsMax: number("ms", dayMs, "... and at most this."),
  breaksMin: number("times", 32, "A node whose stream broke so often within five minutes is held back, too."),
  breakHoldMs: number("ms", dayMs, "For so long after the last time."),
} as const;

/** The values of those settings. */
export type PresetValues = { readonly [K in keyof typeof presetSettings]: number };

/** A preset with what the settings change. */
export function changePreset(preset: Preset, values: PresetValues): Preset {
  const of = (value: number, asPreset: number, scale = 1): number => (value === fromPreset ? asPreset : value * scale);
  const { liveness, caution, repair, balance } = preset;
  const percent = 0.01;
  return {
    liveness: {
      suspectAfterMs: of(values.suspectAfterMs, liveness.suspectAfterMs),
      deadAfterMs: of(values.deadAfterMs, liveness.deadAfterMs),
    },
    caution: {
      slowFactor: of(values.grayFactorPercent, caution.slowFactor, percent),
      fineFactor: of(values.grayOverFactorPercent, caution.fineFactor, percent),
      writeFloorTenthMs: of(values.grayWriteTenthMs, caution.writeFloorTenthMs),
      readFloorTenthMs: of(values.grayReadTenthMs, caution.readFloorTenthMs),
      slowForMs: of(values.grayAfterMs, caution.slowForMs),
      fineForMs: of(values.grayOverAfterMs, caution.fineForMs),
      flapsMin: of(values.flapsMin, caution.flapsMin),
      flapHoldMsMin: of(values.flapHoldMsMin, caution.flapHoldMsMin),
      flapHoldMsMax: of(values.flapHoldMsMax, caution.flapHoldMsMax),
      breaksMin: of(values.breaksMin, caution.breaksMin),
      breakHoldMs: of(values.breakHoldMs, caution.breakHoldMs),
    },
    garbageIntervalMs: of(values.garbageIntervalMs, preset.garbageIntervalMs),
    expiryIntervalMs: of(values.expiryIntervalMs, preset.expiryIntervalMs),
    purgeIntervalMs: of(values.purgeIntervalMs, preset.purgeIntervalMs),
    repair: {
      intervalMs: of(values.repairIntervalMs, repair.intervalMs),
      delayMs: of(values.repairDelayMs, repair.delayMs),
      extraGraceMs: of(values.repairExtraGraceMs, repair.extraGraceMs),
      inPerTargetMax: of(values.repairInPerTargetMax, repair.inPerTargetMax),
      outPerSourceMax: of(values.repairOutPerSourceMax, repair.outPerSourceMax),
      ordersPerPullMax: of(values.repairOrdersPerPullMax, repair.ordersPerPullMax),
      resendAfterMs: of(values.repairResendAfterMs, repair.resendAfterMs),
      giveUpAfterMs: of(values.repairGiveUpAfterMs, repair.giveUpAfterMs),
      vanishedShareMax: of(values.repairVanishedPercent, repair.vanishedShareMax, percent),
      vanishedWindowMs: of(values.repairVanishedWindowMs, repair.vanishedWindowMs),
      bytesPerSecondMax: of(values.repairBytesPerSecondMax, repair.bytesPerSecondMax),
    },
    balance: {
      intervalMs: of(values.balanceIntervalMs, balance.intervalMs),
      toleranceOfCapacity: of(values.balanceCapacityPercent, balance.toleranceOfCapacity, percent),
      toleranceOfFairShare: of(values.balanceFairSharePercent, balance.toleranceOfFairShare, percent),
      movesMax: of(values.balanceMovesMax, balance.movesMax),
      inPerTargetMax: of(values.balanceInPerTargetMax, balance.inPerTargetMax),
      outPerSourceMax: of(values.balanceOutPerSourceMax, balance.outPerSourceMax),
      bytesPerSecondMax: of(values.balanceBytesPerSecondMax, balance.bytesPerSecondMax),
    },
    yield: {
      slowdownMax: of(values.yieldSlowdownPercent, preset.yield.slowdownMax, percent),
      bearableTenthMs: of(values.yieldBearableTenthMs, preset.yield.bearableTenthMs),
      shareMin: of(values.yieldShareMinPercent, preset.yield.shareMin, percent),
      shareStep: of(values.yieldShareStepPercent, preset.yield.shareStep, percent),
    },
  };
}

/** What is wrong with a preset after the changes, in words; empty when nothing is. */
export function faultsOfPreset(preset: Preset): readonly string[] {
  const { liveness, repair, balance } = preset;
  const faults: string[] = [];
  if (liveness.suspectAfterMs > liveness.deadAfterMs)
    faults.push("--suspect-after-ms is not more than --dead-after-ms");
  if (preset.caution.fineFactor > preset.caution.slowFactor)
    faults.push("--gray-over-factor-percent is not more than --gray-factor-percent");
  const intervals = [preset.garbageIntervalMs, preset.expiryIntervalMs, preset.purgeIntervalMs];
  if ([...intervals, repair.intervalMs, balance.intervalMs].some((intervalMs) => intervalMs < 10))
    faults.push("an interval is at least 10 ms");
  const counts = [repair.inPerTargetMax, repair.outPerSourceMax, repair.ordersPerPullMax];
  if ([...counts, balance.movesMax, balance.inPerTargetMax, balance.outPerSourceMax].some((count) => count < 1))
    faults.push("a number of copies, orders or moves at once is at least 1");
  if (repair.bytesPerSecondMax < 65_536 || balance.bytesPerSecondMax < 65_536)
    faults.push("a rate is at least 65536 bytes a second");
  return faults;
}
