import type { Membership } from "./entries.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import type { Role } from "./role.ts";
import type { LogIndex, PeerId, Random, Term } from "./types.ts";

/** What a leader knows of one member. */
export interface PeerView {
  readonly id: PeerId;
  /** How it is sent entries: one at a time until its log is known, in a stream, or not while a snapshot is under way. */
  readonly state: "probe" | "replicate" | "snapshot";
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly isLearner: boolean;
  /** Heard from since the last check of the quorum. */
  readonly isActive: boolean;
  /** Must not be sent more for now. */
  readonly isPaused: boolean;
  readonly pendingSnapshotIndex: LogIndex;
  readonly inflightAppends: number;
  readonly isInflightFull: boolean;
}

/** A look at a core; a value of its own. */
export interface RaftView {
  readonly id: PeerId;
  readonly role: Role;
  readonly isLearner: boolean;
  readonly term: Term;
  readonly vote: PeerId;
  readonly leader: PeerId | undefined;
  readonly transferee: PeerId | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  /** First entry that is not compacted. */
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Last entry known to be durable here. */
  readonly durableIndex: LogIndex;
  /** Entries between its ends that the disk lost; while there are any, the node neither applies nor campaigns. */
  readonly missingEntries: number;
  /** Leads and has applied its own term's first entry. */
  readonly isReadyLeader: boolean;
  readonly hasFailed: boolean;
  readonly membership: Membership;
  /** A leader's view of all members, itself included, ascending; empty for others. */
  readonly peers: readonly PeerView[];
}

/**
 * The consensus algorithm and nothing else: no clock, no disk, no network, no promise. Same boot, inputs and random
 * numbers give the same outputs. The host's loop: take everything queued, `step` each, one `drain`, carry it out.
 */
export interface RaftCore {
  /** Takes one input. */
  step(input: Input): void;
  /** What to do since the last call. */
  drain(): Output;
  /** A look inside. */
  view(): RaftView;
  /** The configuration as of an applied index that is not compacted (or the log's start); undefined for others. */
  membershipAt(index: LogIndex): Membership | undefined;
  /** Term of an entry of the retained log, or of the log's start; undefined for others. */
  termAt(index: LogIndex): Term | undefined;
  /** An equal, independent core. `random` replaces the source of random numbers. */
  fork(random?: Random): RaftCore;
  /** Equal for equal states (what is durable, known and queued inside; not for random numbers to come). */
  digest(): bigint;
}
