import type { Config, DurableState } from "./config.ts";
import type { RaftCore } from "./raft-core.ts";
import type { Random } from "./types.ts";

/** A core that goes on from what the log store found. Every node starts as a follower; `random` is in [0, 1), seeded. */
export function createRaft(config: Config, boot: DurableState, random: Random): RaftCore {
  throw new Error(`peer ${config.id}: the core is being written (boot at ${boot.lastIndex}, ${random.length})`);
}
