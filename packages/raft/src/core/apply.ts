import { assert, isPlanted } from "@holdfast/base";
import { activateThrough, leaveJointWhenDue } from "./configuration.ts";
import { entryBytes, payloadBytes, type Entry } from "./entries.ts";
import { tell, type RaftState } from "./state.ts";
import type { LogIndex } from "./types.ts";

/** Next entries for the state machine: committed, durable here, within the limit on what is under way. */
export function takeApply(state: RaftState): readonly Entry[] {
  const { log, config } = state;
  if (state.isApplyPaused || log.pendingSnapshot !== undefined || !log.isWhole) return [];
  if (state.openFetches.some((fetch) => fetch.peer === undefined)) return [];
  const fromIndex = (log.applying + 1) as LogIndex;
  const toIndex = appliableThrough(state);
  if (fromIndex > toIndex) return [];
  const bytesMax = config.applyBytesMax - state.applyingBytes;
  const entries = log.read({ fromIndex, toIndex, bytesMax });
  if (entries !== undefined) return accept(state, entries);
  const order = {
    ref: state.nextFetchRef++,
    fromIndex,
    toIndex: Math.min(toIndex, log.windowStart - 1) as LogIndex,
    bytesMax,
  };
  state.openFetches.push({ ...order, peer: undefined });
  state.outbox.fetches.push(order);
  return [];
}

function appliableThrough(state: RaftState): LogIndex {
  const { log } = state;
  if (state.config.switches.applyUndurable) return log.committed;
  return Math.min(log.committed, log.durable) as LogIndex;
}

/** Notes that these are at the state machine; pauses when the limit cut them short or is reached. */
function accept(state: RaftState, entries: readonly Entry[]): readonly Entry[] {
  const last = entries[entries.length - 1];
  if (last === undefined) return [];
  let bytes = 0;
  let payload = 0;
  for (const entry of entries) {
    bytes += entryBytes(entry);
    payload += payloadBytes(entry.payload);
  }
  state.log.applying = isPlanted("applySkipsRest") ? appliableThrough(state) : last.index;
  state.openApplies.push({ lastIndex: last.index, bytes, payloadBytes: payload });
  state.applyingBytes += bytes;
  state.isApplyPaused = state.applyingBytes >= state.config.applyBytesMax || last.index < appliableThrough(state);
  return entries;
}

/** What the log store fetched for the state machine, if it still goes on exactly there. */
export function applyFetched(state: RaftState, entries: readonly Entry[] | "compacted"): void {
  // A snapshot took the place of the whole log while they were fetched.
  if (state.log.pendingSnapshot !== undefined) return;
  if (entries === "compacted") {
    tell(state, {
      kind: "inputDropped",
      reason: `entries after ${state.log.applying} are gone before they were applied`,
    });
    return;
  }
  if (entries[0]?.index !== state.log.applying + 1) return;
  state.outbox.apply.push(...accept(state, entries));
}

/** The state machine has everything up to `index`. */
export function onApplied(state: RaftState, index: LogIndex): void {
  assert(index <= Math.max(state.log.applying, state.log.applied), "the state machine only applies what it was given");
  activateThrough(state, index);
  advanceApplied(state, index);
}

/** Moves the applied cursor, and what hangs on it. */
export function advanceApplied(state: RaftState, index: LogIndex): void {
  const { log } = state;
  if (index > log.applied) log.applied = index;
  if (log.applying < log.applied) log.applying = log.applied;
  if (index > state.snapshotIndex) state.snapshotIndex = index;
  finishBatches(state);
  if (state.role === "leader" && state.readyTerm !== state.term && log.termAt(log.applied) === state.term) {
    state.readyTerm = state.term;
    tell(state, { kind: "readyToLead", term: state.term });
  }
  leaveJointWhenDue(state);
}

function finishBatches(state: RaftState): void {
  let done = 0;
  for (const batch of state.openApplies) {
    if (batch.lastIndex > state.log.applied) break;
    done++;
    state.applyingBytes -= batch.bytes;
    if (isPlanted("uncommittedNeverFreed")) continue;
    state.uncommittedBytes = Math.max(0, state.uncommittedBytes - batch.payloadBytes);
  }
  state.openApplies.splice(0, done);
  state.isApplyPaused = state.applyingBytes >= state.config.applyBytesMax;
}
