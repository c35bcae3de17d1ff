import { isPlanted } from "@holdfast/base";
import { broadcastAppend, sendAppendWithEntries } from "./append-sender.ts";
import { advanceCommit } from "./commit.ts";
import type { ConfigurationChange, Entry, Payload } from "./entries.ts";
import { changeMembership, isJoint, leavesJoint } from "./membership.ts";
import { appendOwn } from "./own-log.ts";
import { isVoter } from "./quorum.ts";
import { becomeFollower } from "./role-change.ts";
import { tell, trackMembers, type RaftState } from "./state.ts";
import { abortTransfer } from "./transfer.ts";
import { nobody, type LogIndex } from "./types.ts";

/** The change without steps by which a leader leaves a joint configuration itself. */
const leaveJointChange: ConfigurationChange = { version: 2, transition: "auto", steps: [], context: new Uint8Array() };

/**
 * Why a change may not enter a leader's log now; undefined: it may. One at a time, and only after the one before it is
 * applied here, because it takes effect when applied (§4.1).
 */
export function refuseChange(state: RaftState, change: ConfigurationChange): string | undefined {
  if (!state.config.switches.validateChanges) return undefined;
  if (state.pendingConfigurationIndex > state.log.applied && !isPlanted("changesOverlap")) {
    return `possible unapplied configuration change at index ${state.pendingConfigurationIndex}`;
  }
  const isLeaving = leavesJoint(change) || (change.version === 2 && change.steps.length === 0);
  if (isJoint(state.membership) && !isLeaving) return "must transition out of joint config first";
  if (!isJoint(state.membership) && isLeaving) return "not in joint state; refusing empty conf change";
  const outcome = changeMembership(state.membership, change);
  return outcome.ok ? undefined : outcome.error;
}

/** The payloads as they may enter the log: a refused change becomes an empty entry. Notes admitted changes as pending. */
export function admitPayloads(state: RaftState, payloads: readonly Payload[]): readonly Payload[] {
  return payloads.map((payload, offset) => {
    if (payload.kind !== "configuration") return payload;
    if (refuseChange(state, payload.change) !== undefined) return { kind: "empty" };
    state.pendingConfigurationIndex = (state.log.lastIndex + offset + 1) as LogIndex;
    return payload;
  });
}

/** Configuration entries up to `index` take effect, each once. */
export function activateThrough(state: RaftState, index: LogIndex): void {
  for (const entry of state.log.configurationEntries(state.activatedIndex, index)) activate(state, entry);
  if (index > state.activatedIndex) state.activatedIndex = index;
}

function activate(state: RaftState, entry: Entry): void {
  state.activatedIndex = entry.index;
  if (entry.payload.kind !== "configuration") return;
  const changed = changeMembership(state.membership, entry.payload.change);
  if (!changed.ok) {
    // All members refuse it alike: the outcome depends on nothing but the log.
    tell(state, { kind: "inputDropped", reason: `configuration entry ${entry.index}: ${changed.error}` });
    return;
  }
  state.membership = changed.value.membership;
  state.membershipHistory.push({ index: entry.index, membership: state.membership });
  trackMembers(state, changed.value.newcomers);
  tell(state, { kind: "configurationChanged", index: entry.index });
  afterChange(state);
}

function afterChange(state: RaftState): void {
  if (state.role !== "leader") return;
  const own = state.progress.get(state.config.id);
  if (own === undefined || own.isLearner) {
    if (state.config.switches.stepDownOnRemoval) becomeFollower(state, state.term, nobody);
    return;
  }
  if (state.membership.voters.length === 0) return;
  if (advanceCommit(state)) {
    broadcastAppend(state);
  } else {
    for (const id of state.peerIds) if (id !== state.config.id) sendAppendWithEntries(state, id);
  }
  if (state.transferee !== nobody && !isVoter(state.membership, state.transferee)) abortTransfer(state);
}

/** A leader whose joint configuration is applied leaves it, when the change asked for that. */
export function leaveJointWhenDue(state: RaftState): void {
  if (state.role !== "leader" || !state.membership.autoLeave) return;
  if (state.log.applied < state.pendingConfigurationIndex || state.transferee !== nobody) return;
  if (!state.progress.has(state.config.id)) return;
  const payloads = admitPayloads(state, [{ kind: "configuration", change: leaveJointChange }]);
  if (appendOwn(state, payloads)) broadcastAppend(state);
}
