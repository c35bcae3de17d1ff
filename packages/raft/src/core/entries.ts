import type { LogIndex, PeerId, Term } from "./types.ts";

/**
 * What a step of a configuration change does. `update` changes nothing in the configuration (the change's `context` may
 * matter to the host). `readmit` makes whoever has the id now a learner of which nothing is known: the member lost its
 * directory, so what it acknowledged and voted before counts no more.
 */
export type MemberAction = "addVoter" | "addLearner" | "remove" | "update" | "readmit";

/** One step of a configuration change. */
export interface MemberStep {
  readonly action: MemberAction;
  readonly peer: PeerId;
}

/**
 * How a change passes through the joint configuration (dissertation §4.3).
 * `auto`: joint only when more than one voter changes, left by the leader itself; `implicit`: always joint, left by the
 * leader itself; `explicit`: always joint, left only by a change without steps.
 */
export type Transition = "auto" | "implicit" | "explicit";

/** A membership change as it stands in the log. Without steps (version 2, `auto`) it leaves the joint configuration. */
export interface ConfigurationChange {
  /** 1: the single-server change of §4.1, exactly one step; 2: any number of steps. */
  readonly version: 1 | 2;
  readonly transition: Transition;
  readonly steps: readonly MemberStep[];
  /** The host's own (an address, a directory incarnation); Raft does not look inside. */
  readonly context: Uint8Array;
}

/** What an entry holds. */
export type Payload =
  /** A new leader's first entry, or what became of a refused configuration change. Nothing to apply. */
  | { readonly kind: "empty" }
  /** For the state machine. */
  | { readonly kind: "application"; readonly data: Uint8Array }
  /** For the configuration; takes effect when applied. */
  | { readonly kind: "configuration"; readonly change: ConfigurationChange };

/** Which entry: two entries with equal ids are equal, and so are all before them (Log Matching, §3.5). */
export interface EntryId {
  readonly term: Term;
  readonly index: LogIndex;
}

/** One entry of the log. Never mutated. CRC and hash chain are added by the log store. */
export interface Entry extends EntryId {
  readonly payload: Payload;
}

/** A stretch of the log with one term: from `firstIndex` to the next run's `firstIndex` - 1, or to the log's end. */
export interface TermRun {
  readonly term: Term;
  readonly firstIndex: LogIndex;
}

/**
 * Who belongs to the group, every list sorted ascending without repeats. `votersOutgoing` is not empty exactly while the
 * configuration is joint. `learnersNext` are outgoing voters that become learners when the joint configuration is left.
 */
export interface Membership {
  readonly voters: readonly PeerId[];
  readonly votersOutgoing: readonly PeerId[];
  readonly learners: readonly PeerId[];
  readonly learnersNext: readonly PeerId[];
  /** The leader leaves the joint configuration by itself once it is applied. */
  readonly autoLeave: boolean;
}

/** Nobody belongs to the group. */
export const emptyMembership: Membership = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** What a snapshot stands for: the state after `index`, and the configuration active there. */
export interface SnapshotMeta extends EntryId {
  readonly membership: Membership;
  /** The host's own that belongs to the same position (addresses, incarnations); Raft does not look inside. */
  readonly context?: Uint8Array;
}

/** What must survive a crash besides the log (§3.8). `vote` 0: none in this term. `commit` is a hint and may lag. */
export interface HardState {
  readonly term: Term;
  readonly vote: PeerId;
  readonly commit: LogIndex;
}

/** Size of a varint of a safe integer, in bytes. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Bytes of the payload alone: what the back-pressure on the uncommitted log counts. An empty entry counts nothing. */
export function payloadBytes(payload: Payload): number {
  switch (payload.kind) {
    case "empty":
      return 0;
    case "application":
      return payload.data.length;
    case "configuration": {
      let bytes = payload.change.transition === "auto" ? 0 : 2;
      for (const step of payload.change.steps) bytes += 5 + varintBytes(step.peer);
      return bytes + payload.change.context.length;
    }
  }
}

/** Bytes of the entry as limits count it: the payload plus the size of type, term and index as varints. */
export function entryBytes(entry: Entry): number {
  const data = payloadBytes(entry.payload);
  const dataField = data === 0 ? 0 : 1 + varintBytes(data) + data;
  return 4 + varintBytes(entry.term) + varintBytes(entry.index) + dataField;
}
