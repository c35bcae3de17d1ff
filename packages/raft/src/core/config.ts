import { assert } from "@holdfast/base";
import type { Entry, HardState, SnapshotMeta, TermRun } from "./entries.ts";
import type { IndexRanges } from "./index-ranges.ts";
import type { LogIndex, PeerId, Term } from "./types.ts";

/** Departures from the product's ways, for replaying other systems' scripts and for tests. The product uses the defaults. */
export interface Switches {
  /** Ask before raising the term (§9.6). Default true. */
  readonly preVote: boolean;
  /** A leader without a quorum's sign of life steps down; votes are ignored while a leader is alive (§4.2.3). Default true. */
  readonly checkQuorum: boolean;
  /** Followers pass proposals on instead of answering `notLeader`. Default false. */
  readonly forwardProposals: boolean;
  /** Followers pass reads on instead of answering `notLeader`. Default false. */
  readonly forwardReads: boolean;
  /** Reads rest on the lease by default, so a leader may not be forgotten. Default false. */
  readonly leaseReads: boolean;
  /** A leader that a change removed or made a learner steps down when the change is applied. Default true. */
  readonly stepDownOnRemoval: boolean;
  /** Refuse a change while another is unapplied or does not fit. Default true. */
  readonly validateChanges: boolean;
  /** Hand entries to the state machine before they are durable here. Default false. */
  readonly applyUndurable: boolean;
  /** Votes carry what is committed, and who is asked or refused learns from it. Default true. */
  readonly commitByVote: boolean;
  /** Heartbeats carry the true commit index instead of one capped at the follower's match. Default true. */
  readonly commitInHeartbeats: boolean;
  /** A candidate that others elect leads before its own term and vote are on disk. Default false. */
  readonly leadBeforeOwnVote: boolean;
  /** With `leaseReads`, a member that has just started votes at once, whatever it may have promised. Default false. */
  readonly voteAtStart: boolean;
  /** Messages to oneself go out in `sendAfter` and come back by `receive`, instead of inside `persisted`. Default false. */
  readonly deliverOwnMessages: boolean;
}

/** How one core behaves. Sizes are as `entryBytes` counts. */
export interface Config {
  readonly id: PeerId;
  /** A follower campaigns after between one and two times this without a leader. At least 2, more than `heartbeatTicks`. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Entries in one append; at least one entry is always sent. */
  readonly appendBytesMax: number;
  /** Appends under way to one follower. */
  readonly inflightAppendsMax: number;
  /** Bytes under way to one follower. */
  readonly inflightBytesMax: number;
  /** Payload bytes appended here and not yet applied here; more proposals are `overloaded`. */
  readonly uncommittedBytesMax: number;
  /** Entries handed to the state machine and not yet applied. */
  readonly applyBytesMax: number;
  /** Entries kept in memory though durable and applied; older ones are fetched. */
  readonly windowBytesMax: number;
  /** Reads waiting for a round at once. */
  readonly waitingReadsMax: number;
  /** A persist order older than this is a stalled disk. 0: never. */
  readonly persistStallTicks: number;
  /** How long after losing leadership a proposal may still turn out `committed` or `superseded` before it is `unknown`. */
  readonly resolveTicks: number;
  readonly switches: Switches;
}

/**
 * What the log store found at start. A founding node has all zero, and the founding membership at index 0. A node that
 * is to join later has an empty membership there: it takes nothing but a snapshot before it takes entries.
 */
export interface DurableState {
  readonly hardState: HardState;
  /** The last compacted entry or installed snapshot, with the configuration there. Index 0 term 0: nothing compacted. */
  readonly logStart: SnapshotMeta;
  /** Terms of the retained log (entries after `logStart`), ascending. Empty when it is empty. */
  readonly termRuns: readonly TermRun[];
  /** Last entry; `logStart.index` when the log is empty. */
  readonly lastIndex: LogIndex;
  /** Every configuration entry of the retained log, ascending. */
  readonly configurationEntries: readonly Entry[];
  /** The newest entries, contiguous up to `lastIndex`; any number, also none. */
  readonly window: readonly Entry[];
  /** Entries that were there and cannot be read; absent: none. Their runs have term 0. */
  readonly missing?: MissingEntries;
  /** What the state machine has durably; at least `logStart.index`, at most `lastIndex`. */
  readonly appliedIndex: LogIndex;
}

/**
 * Entries of the log that its disk lost. That they were there, and the term of the last entry, is known; what they were,
 * the group knows.
 */
export interface MissingEntries {
  readonly ranges: IndexRanges;
  /** Term of the log's last entry, which may be missing itself. */
  readonly lastTerm: Term;
}

/** The product's switches. */
export const productSwitches: Switches = {
  preVote: true,
  checkQuorum: true,
  forwardProposals: false,
  forwardReads: false,
  leaseReads: false,
  stepDownOnRemoval: true,
  validateChanges: true,
  applyUndurable: false,
  commitByVote: true,
  commitInHeartbeats: true,
  leadBeforeOwnVote: false,
  voteAtStart: false,
  deliverOwnMessages: false,
};

/** The product's numbers for a tick of 50 ms: heartbeats every 100 ms, elections after 500 to 1000 ms, stall after 2 s. */
export function defaultConfig(id: PeerId): Config {
  return {
    id,
    electionTicks: 10,
    heartbeatTicks: 2,
    appendBytesMax: 1024 * 1024,
    inflightAppendsMax: 256,
    inflightBytesMax: 16 * 1024 * 1024,
    uncommittedBytesMax: 64 * 1024 * 1024,
    applyBytesMax: 8 * 1024 * 1024,
    windowBytesMax: 64 * 1024 * 1024,
    waitingReadsMax: 65_536,
    persistStallTicks: 40,
    resolveTicks: 20,
    switches: productSwitches,
  };
}

/** States the ranges; a wrong one is a bug of the host. */
export function assertConfig(config: Config): void {
  assert(Number.isSafeInteger(config.id) && config.id > 0, "a peer id is a positive integer");
  assert(config.heartbeatTicks >= 1, "heartbeats come at least every tick");
  assert(config.electionTicks > config.heartbeatTicks, "an election timeout outlasts a heartbeat");
  assert(config.inflightAppendsMax >= 1, "at least one append may be under way");
  assert(config.appendBytesMax >= 0, "the append limit is not negative");
  assert(config.inflightBytesMax >= config.appendBytesMax, "one full append fits in flight");
}
