import { isPlanted } from "@holdfast/base";
import { payloadBytes, type Entry, type Payload } from "./entries.ts";
import { header, sendAfterPersist, type RaftState } from "./state.ts";
import type { LogIndex } from "./types.ts";

/**
 * A leader appends to its own log and will acknowledge to itself once that is durable, as any follower would. False:
 * the uncommitted log is full and nothing was appended. Payloads without bytes always fit, and so does anything when
 * nothing is uncommitted.
 */
export function appendOwn(state: RaftState, payloads: readonly Payload[]): boolean {
  let bytes = 0;
  for (const payload of payloads) bytes += payloadBytes(payload);
  const total = state.uncommittedBytes + bytes;
  if (state.uncommittedBytes > 0 && bytes > 0 && total > state.config.uncommittedBytesMax) return false;
  state.uncommittedBytes = total;
  const first = state.log.lastIndex + 1;
  const entries = payloads.map((payload, offset): Entry => ({
    term: state.term,
    index: (first + offset) as LogIndex,
    payload,
  }));
  state.log.write(entries);
  const own = state.progress.get(state.config.id);
  if (isPlanted("leaderCountsUnsynced") && own !== undefined) own.acknowledge(state.log.lastIndex);
  sendAfterPersist(state, {
    ...header(state, state.config.id),
    kind: "appendResponse",
    index: state.log.lastIndex,
  });
  return true;
}
