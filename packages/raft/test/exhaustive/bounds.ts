import { defaultConfig, productSwitches, type Config } from "../../src/core/config.ts";
import type { PeerId } from "../../src/core/types.ts";

/** How often each thing may happen in one run of the group, at most 15 each. What is not bounded happens at will. */
export interface ExploreBounds {
  /** A follower or candidate loses patience: bounds the terms too. */
  readonly timeouts: number;
  readonly proposals: number;
  /** Lose everything that is not on disk, and start again. */
  readonly crashes: number;
  /** A leader asks for a sign of life. */
  readonly heartbeats: number;
  /** A message arrives and stays on the way. */
  readonly duplicates: number;
  /** A leader is told to hand over to the next member. */
  readonly transfers: number;
  /** Ask before raising the term (§9.6). */
  readonly hasPreVote: boolean;
}

/** Named bounds with their pinned count: another count means that the core or the explorer changed. */
export interface ExploreProfile {
  readonly name: string;
  readonly bounds: ExploreBounds;
  /** Distinct states within the bounds; undefined: more than anybody waited for. */
  readonly states: number | undefined;
  /** Where nobody waited: how many states are at most so many steps away. */
  readonly within?: { readonly depth: number; readonly states: number };
  /** Small enough for every `npm test`. */
  readonly isQuick: boolean;
}

const nothing: ExploreBounds = {
  timeouts: 1,
  proposals: 0,
  crashes: 0,
  heartbeats: 0,
  duplicates: 0,
  transfers: 0,
  hasPreVote: false,
};

function profile(name: string, bounds: Partial<ExploreBounds>, states: number | undefined): ExploreProfile {
  return { name, bounds: { ...nothing, ...bounds }, states, isQuick: (states ?? Infinity) < 310_000 };
}

/** All of them, quick ones first; the last ends only by the number of states asked for. */
export const exploreProfiles: readonly ExploreProfile[] = [
  profile("election-crash", { crashes: 1 }, 4917),
  profile("pre-vote", { hasPreVote: true }, 10_581),
  profile("transfer", { transfers: 1 }, 338_501),
  profile("two-elections", { timeouts: 2 }, 286_586),
  profile("one-entry", { proposals: 1 }, 326_493),
  profile("heartbeat-duplicate", { heartbeats: 1, duplicates: 1 }, 1_556_095),
  profile("entry-crash", { proposals: 1, crashes: 1 }, 2_266_301),
  profile("two-elections-duplicate", { timeouts: 2, duplicates: 1 }, 6_923_605),
  profile("two-elections-crash", { timeouts: 2, crashes: 1 }, 4_842_500),
  {
    ...profile(
      "everything",
      { timeouts: 3, proposals: 2, crashes: 2, heartbeats: 1, duplicates: 1, transfers: 1, hasPreVote: true },
      undefined,
    ),
    within: { depth: 12, states: 8_589_448 },
  },
];

/** The numbers of the cores: no limits that matter, and no time but the explorer's own actions. */
export function exploreConfig(id: PeerId, hasPreVote: boolean): Config {
  const switches = { ...productSwitches, preVote: hasPreVote };
  return {
    ...defaultConfig(id),
    electionTicks: 1000,
    heartbeatTicks: 1,
    persistStallTicks: 0,
    resolveTicks: 1000,
    switches,
  };
}
