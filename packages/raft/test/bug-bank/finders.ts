import { withPlanted } from "@holdfast/base/planting";
import { runRandomly } from "../../src/testing/random-run.ts";
import type { ExploreBounds } from "../exhaustive/bounds.ts";
import { Explorer, ExploreViolation } from "../exhaustive/explorer.ts";
import { runVopr } from "../vopr/vopr-run.ts";
import { scenarios } from "./scenarios.ts";

/** What looks for a planted bug. */
export type FinderName = "random" | "explore" | "vopr" | "script";

/** How it was found. */
export interface Found {
  /** Seeds or states until it was red. */
  readonly effort: number;
  /** The broken promise. */
  readonly message: string;
}

/** Seeds or states after which a finder gives up. */
const effortMax: Readonly<Record<FinderName, number>> = { random: 2000, explore: 2_000_000, vopr: 200, script: 1 };

/** Words for the efforts. */
export const unitOf: Readonly<Record<FinderName, string>> = {
  random: "random seeds",
  explore: "states",
  vopr: "simulated seeds",
  script: "scenario",
};

/** Looks for the planted bug, from a given first seed; undefined: not found. */
export function find(
  bug: string,
  finder: FinderName,
  options: { firstSeed: number; effort?: number },
): Promise<Found | undefined> {
  const limit = options.effort ?? effortMax[finder];
  return withPlanted(bug, async () => {
    if (finder === "explore") return explore(limit);
    if (finder === "script") return playScenarios();
    for (let tried = 1; tried <= limit; tried++) {
      const seed = options.firstSeed + tried - 1;
      const run = (): unknown =>
        finder === "vopr" ? runVopr(seed) : runRandomly({ seed, rounds: 500, hasMembershipChanges: seed % 2 === 0 });
      const found = await failureOf(run, tried);
      if (found !== undefined) return found;
    }
    return undefined;
  });
}

async function failureOf(run: () => unknown, effort: number): Promise<Found | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return { effort, message: error instanceof Error ? error.message : String(error) };
  }
}

const bounds: ExploreBounds = {
  timeouts: 2,
  proposals: 1,
  crashes: 1,
  heartbeats: 0,
  duplicates: 1,
  transfers: 0,
  hasPreVote: false,
};

function explore(statesMax: number): Found | undefined {
  try {
    new Explorer(bounds, statesMax).run();
    return undefined;
  } catch (error) {
    if (!(error instanceof ExploreViolation)) throw error;
    return { effort: error.statesBefore, message: error.message.split("\n")[0] ?? "" };
  }
}

/** The first scenario that does not end as it must. */
function playScenarios(): Found | undefined {
  let played = 0;
  for (const [name, play] of Object.entries(scenarios)) {
    played++;
    try {
      play();
    } catch (error) {
      return { effort: played, message: `${name}: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return undefined;
}
