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

/** Named bounds. Their counts are pinned: another count means that the core or the explorer changed. */
export interface ExploreProfile {
  readonly bounds: ExploreBounds;
  /** Distinct states within the bounds; undefined: not known, more than anybody waited for. */
  readonly states: number | undefined;
  readonly about: string;
}

/** The numbers of the cores: no limits that matter, and no time but the explorer's own actions. */
export function exploreConfig(id: PeerId, hasPreVote: boolean): Config {
  const switches = { ...productSwitches, preVote: hasPreVote };
  return { ...defaultConfig(id), electionTicks: 1000, heartbeatTicks: 1, persistStallTicks: 0, resolveTicks: 1000, switches };
}
