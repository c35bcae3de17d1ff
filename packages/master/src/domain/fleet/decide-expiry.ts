import type { Decision } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import { decideExpireDrills } from "./decide-drills.ts";
import { decideEndMaintenance } from "./decide-intents.ts";
import { decideExpireJoinTokens } from "./decide-join-tokens.ts";

/** Everything of the fleet whose time is over at this leader time: maintenance, drills, join tokens. */
export function decideFleetExpiry(tables: TableReader, atMs: number): Decision {
  const events = [decideEndMaintenance, decideExpireDrills, decideExpireJoinTokens].flatMap(
    (decide) => decide(tables, atMs).events,
  );
  return { events, outcome: {} };
}
