import { productSwitches, type Config } from "../../core/config.ts";
import type { Random } from "../../core/types.ts";
import { seededRandom } from "../seeded-random.ts";

/** How likely things are in a round. */
export interface Rates {
  readonly tick: number;
  readonly deliver: number;
  readonly persist: number;
  readonly apply: number;
  readonly propose: number;
  readonly read: number;
  readonly restart: number;
  readonly heal: number;
  readonly drop: number;
  readonly double: number;
  /** A delivered message comes a second time, much later. */
  readonly late: number;
  readonly cut: number;
  readonly isolate: number;
  readonly crash: number;
  readonly crashAll: number;
  /** A leader whose log is ahead of what it committed crashes or is cut off: the shapes of figures 3.7 and 3.8. */
  readonly usurp: number;
  /** Links into or out of a member become slow. */
  readonly slow: number;
  /** While a leader does not know that there is a newer one: a client that still asks there. */
  readonly staleRead: number;
  readonly pause: number;
  readonly stall: number;
  /** Pauses and stalls end. */
  readonly wake: number;
  readonly transfer: number;
  readonly compact: number;
  readonly unreachable: number;
  readonly change: number;
  /** Some of a member's log cannot be read any more. */
  readonly rot: number;
}

/** What a seed draws before its run begins (swarm testing): sizes, limits, clocks, and how likely what is. */
export interface World {
  readonly peers: number;
  readonly spares: number;
  readonly configure: (base: Config) => Config;
  readonly rates: Rates;
  /** Reads rest on leases, and all clocks run within the bound that leases allow; otherwise they run as they like. */
  readonly hasLeases: boolean;
  /** Speed of each member's clock, by place; only with leases. */
  readonly clockRates: readonly number[];
  /** Length of proposals, at most. */
  readonly textMax: number;
  /** Steps of a membership change, at most, and how many of them take a vote away where there is one. */
  readonly changeStepsMax: number;
  readonly removal: number;
  /** Disks may hang: leaders step down then. */
  readonly hasStalls: boolean;
}

/** Clocks may differ by this much: three quarters of 12 ticks of the slowest are less than 11 ticks of the fastest. */
const clockDrift = 0.07;

/**
 * Worlds in which some kind of trouble comes together more often than by luck: leaders that go on without knowing that
 * they have a successor, and elections that fail again and again.
 */
const profiles: readonly Partial<Rates>[] = [
  {
    ...{ tick: 0.6, deliver: 0.5, persist: 1, apply: 0.9, propose: 0.4, read: 0.2, staleRead: 1 },
    ...{ slow: 0.04, isolate: 0, cut: 0, heal: 0.02, usurp: 0.02, transfer: 0.01, pause: 0, late: 0.2 },
    ...{ crash: 0, crashAll: 0, stall: 0, drop: 0 },
  },
  {
    ...{ tick: 0.6, deliver: 0.4, persist: 0.6, propose: 0.3, drop: 0.3, isolate: 0.05, usurp: 0.2, heal: 0.05 },
    ...{ crash: 0.02, restart: 0.2 },
  },
];

/** Draws the world of a seed. */
export function drawWorld(seed: number, hasMembershipChanges: boolean): World {
  const random = seededRandom(seed * 31 + (hasMembershipChanges ? 7 : 0));
  const pick = <T>(items: readonly [T, ...T[]]): T => items[Math.floor(random() * items.length)] ?? items[0];
  const hasLeases = random() < 0.4;
  const hasStalls = random() < 0.5;
  return {
    peers: pick([2, 3, 3, 3, 4, 5, 5]),
    spares: hasMembershipChanges ? pick([1, 2, 2]) : 0,
    configure: drawConfig(random, { hasLeases, hasStalls }),
    rates: { ...drawRates(random, hasMembershipChanges), ...drawProfile(random) },
    hasLeases,
    clockRates: Array.from({ length: 8 }, () => 1 + (random() * 2 - 1) * clockDrift),
    textMax: pick([1, 10, 30]),
    hasStalls,
    changeStepsMax: pick([1, 2, 2, 3]),
    removal: pick([0.3, 0.5, 1]),
  };
}

function drawConfig(
  random: Random,
  has: { readonly hasLeases: boolean; readonly hasStalls: boolean },
): (base: Config) => Config {
  const pick = (items: readonly number[]): number => items[Math.floor(random() * items.length)] ?? 0;
  const appendBytesMax = pick([1, 40, 40, 200]);
  const limits = {
    appendBytesMax,
    inflightAppendsMax: pick([1, 2, 3, 8]),
    inflightBytesMax: Math.max(appendBytesMax, pick([60, 200, 2000])),
    uncommittedBytesMax: pick([30, 60, 400, 4000]),
    applyBytesMax: pick([1, 60, 60, 2000]),
    windowBytesMax: pick([1, 60, 500]),
    persistStallTicks: has.hasStalls ? pick([8, 14]) : 0,
    resolveTicks: 8,
  };
  const times = has.hasLeases ? { electionTicks: 12, heartbeatTicks: 2 } : { electionTicks: 6, heartbeatTicks: 1 };
  const switches = { ...productSwitches, preVote: random() < 0.75, leaseReads: has.hasLeases };
  return (base) => ({ ...base, ...times, ...limits, switches });
}

/** Every third world has one, stronger or weaker. */
function drawProfile(random: Random): Partial<Rates> {
  const profile = random() < 0.4 ? profiles[Math.floor(random() * profiles.length)] : undefined;
  const entries = Object.entries(profile ?? {}).map(([name, rate]) => [name, Math.min(1, rate * (0.5 + random()))]);
  return Object.fromEntries(entries) as Partial<Rates>;
}

function drawRates(random: Random, hasMembershipChanges: boolean): Rates {
  const rate = (most: number): number => random() ** 2 * most;
  // About half of the faults and orders do not occur at all in a run.
  const sometimes = (most: number): number => (random() < 0.5 ? 0 : rate(most));
  return {
    tick: 0.1 + rate(0.6),
    deliver: 0.3 + rate(0.7),
    persist: 0.3 + rate(0.7),
    apply: 0.2 + rate(0.8),
    propose: 0.05 + rate(0.6),
    read: rate(0.4),
    restart: 0.05 + rate(0.4),
    heal: 0.01 + rate(0.1),
    drop: sometimes(0.15),
    double: sometimes(0.1),
    late: sometimes(0.5),
    cut: sometimes(0.1),
    isolate: sometimes(0.06),
    crash: sometimes(0.06),
    crashAll: sometimes(0.01),
    usurp: sometimes(0.4),
    slow: sometimes(0.3),
    staleRead: rate(1),
    pause: sometimes(0.04),
    stall: sometimes(0.04),
    wake: 0.02 + rate(0.2),
    transfer: sometimes(0.05),
    compact: sometimes(0.3),
    unreachable: sometimes(0.05),
    change: hasMembershipChanges ? 0.01 + rate(0.3) : 0,
    rot: sometimes(0.08),
  };
}
