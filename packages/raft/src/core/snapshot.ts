import { isPlanted } from "@holdfast/base";
import type { Membership, SnapshotMeta } from "./entries.ts";
import { membersOf } from "./membership.ts";
import type { SnapshotRequest } from "./messages.ts";
import { becomeFollower } from "./role-change.ts";
import { header, sendAfterPersist, tell, trackMembers, type RaftState } from "./state.ts";
import { nobody, type PeerId, type Term } from "./types.ts";

/** A whole snapshot is here (§5): installs it if it is news, and says up to where the log agrees now. */
export function onSnapshotRequest(state: RaftState, request: SnapshotRequest): void {
  const isRestored = restore(state, request.snapshot);
  // What is missing may not be acknowledged; the next append finds out what there is.
  if (!isRestored && state.log.missing.length > 0) return;
  const index = isRestored ? state.log.lastIndex : state.log.committed;
  sendAfterPersist(state, { ...header(state, request.from), kind: "appendResponse", index });
}

function restore(state: RaftState, meta: SnapshotMeta): boolean {
  const { log } = state;
  const isHoled = log.missing.length > 0;
  // What stands behind a gap may have been acknowledged: only a snapshot that covers all of it may take its place.
  if (isHoled ? meta.index < log.lastIndex : meta.index <= log.committed) return false;
  if (state.role !== "follower") {
    becomeFollower(state, (state.term + 1) as Term, nobody);
    return false;
  }
  // A snapshot from before this node was added would leave it outside of its own configuration.
  if (!membersOf(meta.membership).includes(state.config.id)) return false;
  if (!isHoled && log.holds(meta)) {
    log.committed = meta.index;
    return false;
  }
  log.restore(meta);
  const membership = restoredMembership(state, meta);
  state.membership = membership;
  state.membershipHistory = [{ index: meta.index, membership }];
  state.activatedIndex = meta.index;
  state.progress.clear();
  trackMembers(state, []);
  tell(state, { kind: "configurationChanged", index: meta.index });
  return true;
}

function restoredMembership(state: RaftState, { membership }: SnapshotMeta): Membership {
  if (isPlanted("membershipSurvivesSnapshot") && state.membership.voters.length > 0) return state.membership;
  if (isPlanted("jointForgottenBySnapshot")) return { ...membership, votersOutgoing: [], learnersNext: [] };
  return membership;
}

/** A stream to a follower ended: probe it, but not before it answers or the next heartbeat's answer. */
export function onSnapshotSent(state: RaftState, sent: { readonly peer: PeerId; readonly isOk: boolean }): void {
  const progress = state.progress.get(sent.peer);
  if (state.role !== "leader" || progress?.state !== "snapshot" || isPlanted("snapshotNeverEnds")) return;
  if (!sent.isOk) progress.pendingSnapshot = 0 as typeof progress.pendingSnapshot;
  progress.becomeProbe();
  progress.isPausedForAnswer = true;
}

/** A message to a streaming follower was lost, and probably some after it. */
export function onUnreachable(state: RaftState, peer: PeerId): void {
  const progress = state.progress.get(peer);
  if (state.role === "leader" && progress?.state === "replicate") progress.becomeProbe();
}
