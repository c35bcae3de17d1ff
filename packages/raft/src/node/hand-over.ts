import type { RaftView } from "../core/raft-core.ts";
import type { PeerId } from "../core/types.ts";

/** Whom a leader that stops asks to go on: the live voter with the longest log; undefined when it does not lead or is alone. */
export function handOverTarget(view: RaftView): PeerId | undefined {
  if (view.role !== "leader") return undefined;
  const candidates = view.peers.filter(({ id, isActive, isLearner }) => id !== view.id && isActive && !isLearner);
  return candidates.toSorted((left, right) => right.matchIndex - left.matchIndex)[0]?.id;
}
