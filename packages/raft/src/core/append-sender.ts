import { payloadBytes, type Entry } from "./entries.ts";
import type { Progress } from "./progress.ts";
import { header, send, type RaftState } from "./state.ts";
import type { LogIndex, PeerId } from "./types.ts";

/** Sends every member what it lacks, or at least the commit index. */
export function broadcastAppend(state: RaftState): void {
  for (const id of state.peerIds) if (id !== state.config.id) sendAppend(state, id);
}

/** Sends one append, also an empty one; false when the follower must wait. */
export function sendAppend(state: RaftState, to: PeerId): boolean {
  return trySend(state, to, true);
}

/** Sends appends with entries as long as the follower's window lets it. */
export function sendAllAppends(state: RaftState, to: PeerId): void {
  while (trySend(state, to, false));
}

/** Sends one append if there are entries for the follower. */
export function sendAppendWithEntries(state: RaftState, to: PeerId): boolean {
  return trySend(state, to, false);
}

/** What the log store fetched for this follower goes out, if it still waits for it. */
export function sendFetched(state: RaftState, to: PeerId, fetched: FetchedEntries): void {
  const progress = state.progress.get(to);
  if (state.role !== "leader" || progress === undefined || progress.fetchRef !== fetched.ref) return;
  progress.fetchRef = 0;
  // Meanwhile the follower may have got further by itself: then the answer is about entries it does not need.
  const isStillWanted = fetched.fromIndex === progress.next;
  if (fetched.entries === "compacted" && isStillWanted) {
    sendSnapshot(state, to, progress);
    return;
  }
  const isUsable = isStillWanted && !progress.isPaused;
  if (fetched.entries === "compacted" || !isUsable || fetched.entries[0]?.index !== progress.next) {
    sendAppend(state, to);
    return;
  }
  emit(state, { to, progress, entries: fetched.entries });
  sendAllAppends(state, to);
}

/** The log store's answer: entries the log still holds, from the first wanted one on. */
export interface FetchedEntries {
  readonly ref: number;
  /** First wanted. */
  readonly fromIndex: LogIndex;
  readonly entries: readonly Entry[] | "compacted";
}

function trySend(state: RaftState, to: PeerId, evenIfEmpty: boolean): boolean {
  const progress = state.progress.get(to);
  if (progress === undefined || progress.isPaused) return false;
  if (state.log.termAt((progress.next - 1) as LogIndex) === undefined) return sendSnapshot(state, to, progress);
  const entries = readFor(state, to, progress);
  if (entries === "fetching") return false;
  if (entries.length === 0 && !evenIfEmpty) return false;
  emit(state, { to, progress, entries });
  return true;
}

/** A full window lets only empty appends through: they find out whether what filled the window was lost. */
function readFor(state: RaftState, to: PeerId, progress: Progress): readonly Entry[] | "fetching" {
  if (progress.state === "replicate" && progress.inflights.isFull) return [];
  const { log, config } = state;
  const range = { fromIndex: progress.next, toIndex: log.lastIndex, bytesMax: config.appendBytesMax };
  const entries = log.read(range);
  if (entries !== undefined) return entries;
  const ref = state.nextFetchRef++;
  progress.fetchRef = ref;
  const order = { ref, ...range, toIndex: (log.windowStart - 1) as LogIndex };
  state.openFetches.push({ ...order, peer: to });
  state.outbox.fetches.push(order);
  return "fetching";
}

function emit(state: RaftState, append: { to: PeerId; progress: Progress; entries: readonly Entry[] }): void {
  const { to, progress, entries } = append;
  const { log } = state;
  const index = (progress.next - 1) as LogIndex;
  const term = log.termAt(index);
  if (term === undefined) return;
  const commit = log.committed;
  send(state, { ...header(state, to), kind: "appendRequest", previous: { term, index }, entries, commit });
  let bytes = 0;
  for (const entry of entries) bytes += payloadBytes(entry.payload);
  progress.sentEntries({ count: entries.length, bytes });
  progress.sentCommit = commit;
}

/**
 * The log before the follower's next entry is gone, or the follower has no beginning to build on. Silent members are
 * not bothered; they get one when they answer.
 */
export function sendSnapshot(state: RaftState, to: PeerId, progress: Progress): boolean {
  const index = state.snapshotIndex;
  if (!progress.isActive || index <= progress.match) return false;
  const term = state.log.termAt(index);
  const membership = membershipAt(state, index);
  if (index === 0 || term === undefined || membership === undefined) return false;
  progress.becomeSnapshot(index);
  send(state, { ...header(state, to), kind: "snapshotRequest", snapshot: { index, term, membership } });
  return true;
}

/** The configuration that was active when `index` was applied; undefined when that is not known here (any more). */
export function membershipAt(state: RaftState, index: LogIndex): RaftState["membership"] | undefined {
  if (index < state.log.start.index || index > Math.max(state.log.applied, state.snapshotIndex)) return undefined;
  let found: RaftState["membership"] | undefined;
  for (const at of state.membershipHistory) if (at.index <= index) found = at.membership;
  return found;
}
