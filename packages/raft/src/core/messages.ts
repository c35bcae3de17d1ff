import type { Entry, EntryId, SnapshotMeta } from "./entries.ts";
import type { LogIndex, PeerId, Term } from "./types.ts";

/** What every message carries. The host checks that `from` is the peer the bytes came from. */
interface Header {
  readonly from: PeerId;
  readonly to: PeerId;
  /** The sender's term. A pre-vote request carries the term it would campaign in, a grant of it the same; forwards carry 0. */
  readonly term: Term;
}

/** RequestVote (§3.4). `isTransfer`: sent on the leader's wish (§3.10), so a live leader is no reason to ignore it. */
export interface VoteRequest extends Header {
  readonly kind: "voteRequest";
  readonly isPreVote: boolean;
  /** The candidate's last entry. */
  readonly last: EntryId;
  readonly isTransfer: boolean;
  /** What the candidate knows to be committed; the voter may learn from it (raft-rs `maybe_commit_by_vote`). Term 0: unknown. */
  readonly commit: EntryId;
}

/** The answer, sent after the vote is durable. A candidate's own vote takes this way too. */
export interface VoteResponse extends Header {
  readonly kind: "voteResponse";
  readonly isPreVote: boolean;
  readonly isRejected: boolean;
  /** What the voter knows to be committed; a refused candidate may learn from it. Term 0: unknown. */
  readonly commit: EntryId;
}

/**
 * AppendEntries (§3.5). `entries` are contiguous, the first at `previous.index` + 1; none: a probe, or news of the
 * commit index.
 */
export interface AppendRequest extends Header {
  readonly kind: "appendRequest";
  readonly previous: EntryId;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

/**
 * The answer, sent after what it acknowledges is durable. Accepted: the log matches the leader's up to `index`.
 * Rejected: `index` is the refused `previous.index`, `hint` an entry of the follower where the logs may agree.
 */
export interface AppendResponse extends Header {
  readonly kind: "appendResponse";
  readonly index: LogIndex;
  /** Present exactly when rejected. */
  readonly hint?: EntryId;
  /**
   * Only with a hint: the follower's disk lost entries behind it. The leader is to send from there on, and what it knew
   * of this follower's log beyond counts no more.
   */
  readonly hasLost?: true;
}

/**
 * Sign of life. `commit` is a committed entry: the follower commits up to it if its log holds that very entry. With term
 * 0 the leader knows that this follower's log matches up to `commit.index`, but no longer the term.
 */
export interface HeartbeatRequest extends Header {
  readonly kind: "heartbeatRequest";
  readonly commit: EntryId;
  /** The leader's confirmation round (§6.4), counted by its core; the answer carries it back. */
  readonly round: number;
}

/** The answer to a heartbeat. */
export interface HeartbeatResponse extends Header {
  readonly kind: "heartbeatResponse";
  readonly round: number;
}

/**
 * InstallSnapshot (§5). Leaving the core it asks the host to stream a snapshot at least as new as `snapshot` to the
 * peer; arriving at a core it means that the streamed snapshot is here whole and can be installed.
 */
export interface SnapshotRequest extends Header {
  readonly kind: "snapshotRequest";
  readonly snapshot: SnapshotMeta;
}

/** Orders the target of a leadership transfer to campaign at once (§3.10). */
export interface TimeoutNow extends Header {
  readonly kind: "timeoutNow";
}

/** A follower's proposal on its way to the leader; only with `switches.forwardProposals`. */
export interface ForwardedProposal extends Header {
  readonly kind: "forwardedProposal";
  readonly entries: readonly Entry[];
}

/** A follower's wish that leadership go to `target`, on its way to the leader. */
export interface ForwardedTransfer extends Header {
  readonly kind: "forwardedTransfer";
  readonly target: PeerId;
}

/** A follower asks for a read index; only with `switches.forwardReads`. `request` is the follower's own number. */
export interface ReadIndexRequest extends Header {
  readonly kind: "readIndexRequest";
  readonly request: number;
}

/** The leader's answer. */
export interface ReadIndexResponse extends Header {
  readonly kind: "readIndexResponse";
  readonly request: number;
  readonly index: LogIndex;
}

/** What peers say to each other. */
export type Message =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | SnapshotRequest
  | TimeoutNow
  | ForwardedProposal
  | ForwardedTransfer
  | ReadIndexRequest
  | ReadIndexResponse;
