import { isPlanted } from "@holdfast/base";
import { quorumReached } from "./quorum.ts";
import { servePostponedReads } from "./read-index.ts";
import type { RaftState } from "./state.ts";
import type { LogIndex } from "./types.ts";

/**
 * A leader commits what a quorum has, if that is of its own term: older entries only along with one of its own
 * (§3.6.2, figure 3.7). True when the commit index moved.
 */
export function advanceCommit(state: RaftState): boolean {
  const { log } = state;
  const reached = quorumReached(state.membership, (id) => state.progress.get(id)?.match ?? 0);
  if (!Number.isFinite(reached) || reached <= log.committed) return false;
  if (log.termAt(reached as LogIndex) !== state.term && !isPlanted("commitEarlierTerm")) return false;
  log.committed = reached as LogIndex;
  servePostponedReads(state);
  return true;
}
