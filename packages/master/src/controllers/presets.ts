import type { LivenessLimits } from "./liveness/plan.ts";

/** Times and rates that differ between trying the product out and running it. */
export interface Preset {
  readonly liveness: LivenessLimits;
  readonly garbageIntervalMs: number;
  readonly expiryIntervalMs: number;
  readonly purgeIntervalMs: number;
}

/** `demo` shows things happen; `production` prefers quiet. */
export const presets = {
  demo: {
    liveness: { suspectAfterMs: 3000, deadAfterMs: 10_000 },
    garbageIntervalMs: 1000,
    expiryIntervalMs: 5000,
    purgeIntervalMs: 500,
  },
  production: {
    liveness: { suspectAfterMs: 3000, deadAfterMs: 10_000 },
    garbageIntervalMs: 10_000,
    expiryIntervalMs: 30_000,
    purgeIntervalMs: 1000,
  },
} as const satisfies Record<string, Preset>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;
