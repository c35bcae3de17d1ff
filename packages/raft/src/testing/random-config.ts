import { productSwitches, type Config } from "../core/config.ts";

/** Limits so small that every one is met in a short run. */
export function smallConfig(base: Config): Config {
  return {
    ...base,
    electionTicks: 6,
    heartbeatTicks: 1,
    appendBytesMax: 40,
    inflightAppendsMax: 3,
    inflightBytesMax: 200,
    uncommittedBytesMax: 60,
    applyBytesMax: 60,
    windowBytesMax: 60,
    persistStallTicks: 0,
    resolveTicks: 8,
    switches: productSwitches,
  };
}

/** Limits that are met now and then. */
export function roomyConfig(base: Config): Config {
  const limits = { appendBytesMax: 200, inflightAppendsMax: 8, inflightBytesMax: 2000, uncommittedBytesMax: 4000 };
  return { ...smallConfig(base), ...limits, applyBytesMax: 2000, windowBytesMax: 500 };
}
