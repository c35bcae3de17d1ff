import { isPlanted } from "@holdfast/base";
import { broadcastAppend, sendAllAppends, sendAppend, sendAppendWithEntries, sendSnapshot } from "./append-sender.ts";
import { advanceCommit } from "./commit.ts";
import { appendToHoled, deriveAnew } from "./log-repair.ts";
import type { EntryId } from "./entries.ts";
import type { AppendRequest, AppendResponse } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { header, sendAfterPersist, tell, type RaftState } from "./state.ts";
import { orderHandover } from "./transfer.ts";
import type { LogIndex, PeerId } from "./types.ts";

/** A follower's side of AppendEntries (§3.5): the log must agree just before the new entries. */
export function onAppendRequest(state: RaftState, request: AppendRequest): void {
  const { log } = state;
  const answer = { ...header(state, request.from), kind: "appendResponse" } as const;
  if (log.missing.length > 0 && !(isPlanted("lostEntriesAcknowledged") && log.holds(request.previous))) {
    const index = appendToHoled(state, request);
    // The last gap was cut off with what a leader of a later term overwrote; those before it are on disk again already.
    if (log.isWhole) deriveAnew(state);
    if (index === undefined) return;
    learnCommit(state, Math.min(request.commit, index) as LogIndex);
    sendAfterPersist(state, { ...answer, index });
    return;
  }
  if (request.previous.index < log.committed) {
    sendAfterPersist(state, { ...answer, index: log.committed });
    return;
  }
  const isAgreed =
    log.holds(request.previous) || (isPlanted("previousUnchecked") && request.previous.index <= log.lastIndex);
  if (!isAgreed || (request.previous.index === 0 && isBlank(state))) {
    sendAfterPersist(state, { ...answer, index: request.previous.index, hint: hintFor(state, request.previous) });
    return;
  }
  const isCutting = isPlanted("everyAppendCuts") && request.previous.index >= log.committed;
  const firstNew = isCutting ? request.entries[0] : log.findNew(request.entries);
  if (firstNew !== undefined && firstNew.index <= log.committed) {
    tell(state, { kind: "inputDropped", reason: `append from ${request.from} contradicts a committed entry` });
    return;
  }
  if (firstNew !== undefined) {
    log.write(request.entries.slice(firstNew.index - request.previous.index - 1));
  }
  const last = (request.previous.index + request.entries.length) as LogIndex;
  const end = isPlanted("commitBeyondAppend") ? log.lastIndex : last;
  learnCommit(state, Math.min(request.commit, end) as LogIndex);
  sendAfterPersist(state, { ...answer, index: last });
}

function learnCommit(state: RaftState, commit: LogIndex): void {
  if (commit > state.log.committed) state.log.committed = commit;
}

/**
 * The founding configuration stands before the log, not in it. A node that does not have it must not build on the log's
 * first entries: changes applied to nothing would make it a group of its own. It refuses even index 0, and only a
 * snapshot helps.
 */
function isBlank(state: RaftState): boolean {
  const founding = state.membershipHistory[0];
  if (isPlanted("blankMemberBuilds")) return false;
  return state.log.start.index === 0 && founding?.membership.voters.length === 0;
}

/** The newest own entry that the leader's log may hold too: skips whole terms instead of single entries (§3.5). */
function hintFor(state: RaftState, refused: EntryId): EntryId {
  const from = Math.min(refused.index, state.log.lastIndex) as LogIndex;
  return state.log.findAgreement(from, refused.term);
}

/** A leader's side: a member's log (its own included) agrees up to an index, or refused an append. */
export function onAppendResponse(state: RaftState, response: AppendResponse): void {
  const progress = state.progress.get(response.from);
  if (progress === undefined) return;
  progress.isActive = true;
  if (response.hint !== undefined) {
    const refusal = { from: response.from, progress, index: response.index, hint: response.hint };
    if (response.hasLost === true) onLoss(state, refusal);
    else onRefusal(state, refusal);
    return;
  }
  if (response.index > state.log.lastIndex) {
    tell(state, { kind: "inputDropped", reason: `peer ${response.from} acknowledges more than there is` });
    return;
  }
  const isProbed = progress.match === response.index && progress.state === "probe";
  if (progress.acknowledge(response.index) || isProbed) onProgress(state, response, progress);
}

interface Refusal {
  readonly from: PeerId;
  readonly progress: Progress;
  readonly index: LogIndex;
  readonly hint: EntryId;
}

/** The member's disk lost entries that it may have acknowledged: it gets them again, after the last one that it has. */
function onLoss(state: RaftState, { from, progress, index, hint }: Refusal): void {
  if (progress.state === "snapshot" || (progress.state === "probe" && progress.next - 1 !== index)) return;
  // Its log may be longer than this leader's, or was when the answer left.
  const shared = Math.min(hint.index, state.log.lastIndex) as LogIndex;
  const agreed = hint.term > 0 ? state.log.findAgreement(shared, hint.term).index : shared;
  progress.forgetAfter(agreed);
  sendAppendWithEntries(state, from);
}

function onRefusal(state: RaftState, refusal: Refusal): void {
  const { progress, hint } = refusal;
  if (refusal.index === 0) {
    if (progress.match === 0 && progress.state !== "snapshot") sendSnapshot(state, refusal.from, progress);
    return;
  }
  const guess = hint.term > 0 ? state.log.findAgreement(hint.index, hint.term).index : hint.index;
  if (!progress.stepBack(refusal.index, guess)) return;
  if (progress.state === "replicate") progress.becomeProbe();
  sendAppend(state, refusal.from);
}

function onProgress(state: RaftState, response: AppendResponse, progress: Progress): void {
  const { from } = response;
  const isOwn = from === state.config.id;
  if (progress.state === "probe") {
    progress.becomeReplicate();
  } else if (progress.state === "snapshot") {
    // Whatever snapshot it installed: it is enough once the log can carry on from there.
    const isReachable = progress.match + 1 >= state.log.firstIndex;
    if (isReachable && !isPlanted("snapshotNeverEnds")) progress.becomeReplicate();
  } else {
    progress.inflights.freeThrough(response.index);
  }
  if (advanceCommit(state)) broadcastAppend(state);
  else if (!isOwn && progress.canUseCommit(state.log.committed)) sendAppend(state, from);
  if (!isOwn) sendAllAppends(state, from);
  if (from === state.transferee && progress.match === state.log.lastIndex) orderHandover(state, from);
}
