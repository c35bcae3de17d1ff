import type { Entry, HardState, MemberStep, Membership, SnapshotMeta } from "../../core/entries.ts";
import type { Message } from "../../core/messages.ts";
import type { PeerView } from "../../core/raft-core.ts";
import type { Role } from "../../core/role.ts";
import type { PeerId } from "../../core/types.ts";

/** Text forms of etcd-io/raft's `Describe...` functions, so that scripts can be compared. */

const roleNames: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  preCandidate: "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

const stepLetters = { addVoter: "v", addLearner: "l", remove: "r", update: "u", readmit: "m" } as const;

/** `StateFollower` and so on. */
export function describeRole(role: Role): string {
  return roleNames[role];
}

/** `Lead:1 State:StateLeader`. */
export function describeSoftState(soft: { readonly leader: PeerId | undefined; readonly role: Role }): string {
  return `Lead:${soft.leader ?? 0} State:${roleNames[soft.role]}`;
}

/** `Term:1 Vote:1 Commit:2`. */
export function describeHardState(hard: HardState): string {
  return `Term:${hard.term}${hard.vote === 0 ? "" : ` Vote:${hard.vote}`} Commit:${hard.commit}`;
}

/** `v1 l2 r3 u4`. */
export function describeSteps(steps: readonly MemberStep[]): string {
  return steps.map((step) => `${stepLetters[step.action]}${step.peer}`).join(" ");
}

/** `1/3 EntryNormal "x"`. */
export function describeEntry(entry: Entry): string {
  const { payload } = entry;
  const id = `${entry.term}/${entry.index}`;
  if (payload.kind !== "configuration") {
    const text = payload.kind === "application" ? String.fromCharCode(...payload.data) : "";
    return `${id} EntryNormal ${JSON.stringify(text)}`;
  }
  const type = payload.change.version === 1 ? "EntryConfChange" : "EntryConfChangeV2";
  const steps = describeSteps(payload.change.steps);
  return `${id} ${type}${steps === "" ? "" : ` ${steps}`}`;
}

/** `Index:4 Term:1 ConfState:Voters:[1 2] ...`. */
export function describeSnapshot(meta: SnapshotMeta): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = meta.membership;
  const list = (ids: readonly PeerId[]): string => `[${ids.join(" ")}]`;
  const members =
    `Voters:${list(voters)} VotersOutgoing:${list(votersOutgoing)} Learners:${list(learners)} ` +
    `LearnersNext:${list(learnersNext)} AutoLeave:${autoLeave}`;
  return `Index:${meta.index} Term:${meta.term} ConfState:${members}`;
}

/** `voters=(1 2)&&(1) learners=(3) learners_next=(4) autoleave`. */
export function describeMembership(membership: Membership): string {
  const list = (ids: readonly PeerId[]): string => `(${ids.join(" ")})`;
  let text = `voters=${list(membership.voters)}`;
  if (membership.votersOutgoing.length > 0) text += `&&${list(membership.votersOutgoing)}`;
  if (membership.learners.length > 0) text += ` learners=${list(membership.learners)}`;
  if (membership.learnersNext.length > 0) text += ` learners_next=${list(membership.learnersNext)}`;
  return membership.autoLeave ? `${text} autoleave` : text;
}

/** `StateReplicate match=17 next=18 paused inflight=3[full]`. */
export function describePeer(peer: PeerView): string {
  const states = { probe: "StateProbe", replicate: "StateReplicate", snapshot: "StateSnapshot" } as const;
  let text = `${states[peer.state]} match=${peer.matchIndex} next=${peer.nextIndex}`;
  if (peer.isLearner) text += " learner";
  if (peer.isPaused) text += " paused";
  if (peer.pendingSnapshotIndex > 0) text += ` pendingSnap=${peer.pendingSnapshotIndex}`;
  if (!peer.isActive) text += " inactive";
  if (peer.inflightAppends > 0) text += ` inflight=${peer.inflightAppends}${peer.isInflightFull ? "[full]" : ""}`;
  return text;
}

/** The fields that any message prints, in etcd's terms. */
export interface MessageText {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly term: number;
  readonly logTerm?: number;
  readonly index?: number;
  readonly rejectHint?: number;
  readonly commit?: number;
  readonly vote?: number;
  readonly entries?: readonly Entry[];
  readonly snapshot?: SnapshotMeta | undefined;
  readonly responses?: readonly MessageText[];
}

/** One message, with its responses indented below. */
export function describeMessageText(message: MessageText, indent = ""): string {
  let text = `${indent}${message.from}->${message.to} ${message.type} Term:${message.term}`;
  text += ` Log:${message.logTerm ?? 0}/${message.index ?? 0}`;
  if (message.rejectHint !== undefined) text += ` Rejected (Hint: ${message.rejectHint})`;
  if (message.commit !== undefined && message.commit > 0) text += ` Commit:${message.commit}`;
  if (message.vote !== undefined && message.vote > 0) text += ` Vote:${message.vote}`;
  const entries = message.entries ?? [];
  if (entries.length === 1) text += ` Entries:[${entries.map(describeEntry).join("")}]`;
  else if (entries.length > 1) {
    text += ` Entries:[${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join("")}\n${indent}]`;
  }
  if (message.snapshot !== undefined) text += `\n${indent}  Snapshot: ${describeSnapshot(message.snapshot)}`;
  const responses = message.responses ?? [];
  if (responses.length === 0) return text;
  const below = responses.map((response) => `\n${describeMessageText(response, `${indent}  `)}`);
  return `${text} Responses:[${below.join("")}\n${indent}]`;
}

/** A peer message in etcd's terms. */
export function textOfMessage(message: Message): MessageText {
  const base = { from: message.from.toString(16), to: message.to.toString(16), term: message.term };
  switch (message.kind) {
    case "voteRequest": {
      const type = message.isPreVote ? "MsgPreVote" : "MsgVote";
      return { ...base, type, logTerm: message.last.term, index: message.last.index };
    }
    case "voteResponse": {
      const type = message.isPreVote ? "MsgPreVoteResp" : "MsgVoteResp";
      return { ...base, type, ...(message.isRejected ? { rejectHint: 0 } : {}) };
    }
    case "appendRequest": {
      const { previous, commit, entries } = message;
      return { ...base, type: "MsgApp", logTerm: previous.term, index: previous.index, commit, entries };
    }
    case "appendResponse": {
      const { index, hint } = message;
      if (hint === undefined) return { ...base, type: "MsgAppResp", index };
      return { ...base, type: "MsgAppResp", logTerm: hint.term, index, rejectHint: hint.index };
    }
    case "heartbeatRequest":
      return { ...base, type: "MsgHeartbeat", commit: message.commit.index };
    case "heartbeatResponse":
      return { ...base, type: "MsgHeartbeatResp" };
    case "snapshotRequest":
      return { ...base, type: "MsgSnap", snapshot: message.snapshot };
    case "timeoutNow":
      return { ...base, type: "MsgTimeoutNow" };
    case "forwardedProposal":
      return { ...base, type: "MsgProp", entries: message.entries };
    case "forwardedTransfer":
      return { ...base, from: message.target.toString(16), type: "MsgTransferLeader" };
    case "readIndexRequest":
      return { ...base, type: "MsgReadIndex", term: 0 };
    case "readIndexResponse":
      return { ...base, type: "MsgReadIndexResp", index: message.index };
  }
}
