import type { Logger, Metrics } from "@holdfast/observability";
import type { Network, ServedService } from "@holdfast/rpc";
import type { Clock, Disk, Random, Timers } from "@holdfast/runtime";
import type { ReadMode } from "./core/input.ts";
import type { LogIndex, PeerId, Term } from "./core/types.ts";
import type { RaftSettings } from "./node/settings.ts";

/** A member of the group and where it listens. */
export interface RaftPeer {
  readonly id: PeerId;
  /** host:port under which the other members reach it. */
  readonly address: string;
}

/** Which node of which group to run, and where its log lives. */
export interface RaftConfig {
  /** Directories and peers of another cluster are refused with `wrongCluster`. 1 to 255 bytes of UTF-8. */
  readonly clusterId: string;
  /** This node. One of `peers`. */
  readonly id: PeerId;
  /**
   * The first membership, this node included; the same on every founding member. Once the log says who belongs to the
   * group, it overrides this list, which then only says where members are that the log has no address of. A node that is
   * to be added to a running group lists the members it knows and itself.
   */
  readonly peers: readonly RaftPeer[];
  /** Absolute path of the log's folder, made when absent. Nothing else may write there. */
  readonly directory: string;
  /** What differs from the defaults of `raftSettings`. */
  readonly settings?: Partial<RaftSettings>;
}

/** What the node needs from its process. */
export interface RaftPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A committed application entry, as the state machine receives it. */
export interface CommittedEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly data: Uint8Array;
}

/**
 * What Raft drives: the projections. Its own durable applied index decides where replay begins.
 * Calls never overlap.
 */
export interface StateMachine {
  /** Index of the last entry whose effects are in the durable store (in the same batch as the effects). */
  appliedIndex(): LogIndex;
  /**
   * Folds entries in order. Entries without application data (elections' empty entries, configuration) are not passed,
   * so indexes may skip; `throughIndex` is the index up to which everything is now applied.
   */
  apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void>;
  /** Makes everything applied durable against power loss; afterwards the log up to `appliedIndex()` may be compacted. */
  flush(): Promise<void>;
  /**
   * How the state is copied to a member that cannot be helped with entries any more. Without it the log is only
   * compacted as far as every member has it, and a member that lost its directory cannot come back once it was.
   */
  readonly snapshots?: SnapshotSupport;
}

/** A state machine's part of snapshots. What the pieces mean is the state machine's own affair. */
export interface SnapshotSupport {
  /** Freezes a view of the state. Called beside `apply`; must not make it wait. Errors: `diskFailed`. */
  open(): Promise<StateSnapshot>;
  /** Begins to gather another member's state beside the present one, which goes on serving. Errors: `diskFailed`, `noSpace`. */
  begin(): Promise<StateInstallation>;
}

/** One part of a state. */
export interface SnapshotPiece {
  /** At most 4 MiB; about 256 KiB is good. */
  readonly data: Uint8Array;
  /** Where a copy that was interrupted after this piece goes on. Never empty. */
  readonly lastKey: Uint8Array;
}

/** A frozen view of a state. */
export interface StateSnapshot {
  /** The last entry whose effects it holds. */
  readonly index: LogIndex;
  /** About how many bytes its pieces have in all; 0 = unknown. For showing progress. */
  readonly sizeBytesEstimate: number;
  /** Its pieces in key order behind a key (empty: from the first). Deterministic in what they hold, not in where they are cut. */
  pieces(afterKey: Uint8Array): AsyncIterable<SnapshotPiece>;
  /** Gives the view back. Idempotent. */
  close(): Promise<void>;
}

/** A state on its way in. Calls never overlap, and `install` never overlaps `apply`. */
export interface StateInstallation {
  /** Takes the next piece. */
  add(piece: SnapshotPiece): Promise<void>;
  /**
   * All pieces are here: puts them in the place of the present state, durably and atomically: after a crash at any
   * moment either the old or the new state is there, whole. Afterwards `appliedIndex()` is `index`.
   * Errors: `dataLoss` when the pieces are not a state at `index`; nothing was changed then.
   */
  install(index: LogIndex): Promise<void>;
  /** Forgets what was gathered. */
  discard(): Promise<void>;
}

/** How a proposal ended. */
export type ProposeOutcome =
  /** Committed and applied at this node. */
  | { readonly kind: "applied"; readonly index: LogIndex; readonly term: Term }
  /** Not appended here; nothing happened. */
  | { readonly kind: "notLeader"; readonly leader: PeerId | undefined }
  /** Appended here and overwritten by another leader's entry: it did not and will not happen. */
  | { readonly kind: "superseded" }
  /** Leadership was lost or the node stopped while it was in flight: it may or may not happen. Retry with the same request id. */
  | { readonly kind: "unknown" }
  /** The uncommitted log is full; nothing happened. */
  | { readonly kind: "overloaded" };

/** A snapshot on its way to another member. */
export interface SnapshotTransfer {
  readonly peer: PeerId;
  readonly index: LogIndex;
  readonly sentBytes: number;
  /** 0 to 100; an estimate. */
  readonly percent: number;
}

/**
 * How a node stands to its group. `undecided`: its directory is new and it asks the others; `joining`: it belongs to no
 * group yet, waits to be added (or taken back) and to be sent the state; `member`: it knows its group.
 */
export type RaftStanding = "undecided" | "joining" | "member";

/** A node's role and cursors. */
export interface RaftStatus {
  readonly id: PeerId;
  readonly role: "leader" | "follower" | "candidate" | "preCandidate" | "learner";
  readonly term: Term;
  readonly leader: PeerId | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** First entry that the log still has. */
  readonly firstIndex: LogIndex;
  /** Entries that the disk lost and the leader has not given back yet: until then this node applies nothing. */
  readonly missingEntries: number;
  /** The log up to here lives in the state machine only; 0: nothing was compacted. */
  readonly snapshotIndex: LogIndex;
  /** Leads and has applied its own term's first entry: commands may be decided. */
  readonly isReadyLeader: boolean;
  readonly standing: RaftStanding;
  /** Of this node's directory, 32 hex digits. */
  readonly incarnation: string;
  /** Who has a vote, as this node knows it, and who only follows. */
  readonly voters: readonly PeerId[];
  readonly learners: readonly PeerId[];
  /** Leader only: what it knows of its peers. */
  readonly peers: readonly {
    readonly id: PeerId;
    readonly matchIndex: LogIndex;
    readonly isActive: boolean;
    readonly state: string;
  }[];
  /** Snapshots on their way from here. */
  readonly transfers: readonly SnapshotTransfer[];
  /** The snapshot on its way to here, if there is one. */
  readonly incoming: { readonly from: PeerId; readonly index: LogIndex; readonly percent: number } | undefined;
}

/** What happens inside, typed; feeds logs, metrics and the admin page. */
export type RaftEvent =
  | { readonly kind: "roleChanged"; readonly role: RaftStatus["role"]; readonly term: Term }
  | { readonly kind: "leaderChanged"; readonly leader: PeerId | undefined; readonly term: Term }
  | { readonly kind: "readyToLead"; readonly term: Term }
  | { readonly kind: "committed"; readonly index: LogIndex }
  /** The membership is as of this entry; lists as in the status. */
  | {
      readonly kind: "membershipChanged";
      readonly index: LogIndex;
      readonly voters: readonly PeerId[];
      readonly learners: readonly PeerId[];
    }
  | { readonly kind: "standingChanged"; readonly standing: RaftStanding }
  /** The log begins behind this entry now. */
  | { readonly kind: "compacted"; readonly index: LogIndex }
  | { readonly kind: "snapshotSending"; readonly peer: PeerId; readonly index: LogIndex }
  | { readonly kind: "snapshotSent"; readonly peer: PeerId; readonly index: LogIndex; readonly bytes: number }
  /** The stream broke; it goes on where it broke when the member answers again. */
  | { readonly kind: "snapshotBroke"; readonly peer: PeerId; readonly sentBytes: number }
  /** A leader's state took the place of this node's: everything up to here is applied, without having passed `apply`. */
  | { readonly kind: "snapshotInstalled"; readonly index: LogIndex; readonly from: PeerId }
  /** The log had lost so many entries (bit rot, a misdirected write); the leader gave them back and they are on disk. */
  | { readonly kind: "logRepaired"; readonly entries: number }
  | { readonly kind: "diskStalled"; readonly sinceMs: number }
  /** The log or the state machine cannot go on. This node takes part in nothing any more; the process should end. */
  | { readonly kind: "diskFailed"; readonly message: string }
  /** The process did not run for so long (a collection, a paused machine, too much synchronous work). */
  | { readonly kind: "loopStalled"; readonly lateMs: number };

/** A wish to change who belongs to the group; for a leader. One change is under way at a time. */
export type MembershipWish =
  /** Gets everything and has no vote, until it is promoted. */
  | { readonly kind: "addLearner"; readonly peer: RaftPeer }
  /** Begins as a learner and gets its vote by itself when it has caught up. */
  | { readonly kind: "addVoter"; readonly peer: RaftPeer }
  /** As `addVoter`; at the moment it gets its vote the other one goes, jointly. */
  | { readonly kind: "replace"; readonly remove: PeerId; readonly peer: RaftPeer }
  | { readonly kind: "promote"; readonly id: PeerId }
  | { readonly kind: "demote"; readonly id: PeerId }
  | { readonly kind: "remove"; readonly id: PeerId };

/**
 * One member of a Raft group. Life: `openRaftNode` (recovers the log, takes part in nothing yet) -> pass `services` to
 * `network.listen` -> `start()` -> ... -> `stop()`, after which the caller closes its listener.
 */
export interface RaftNode {
  /** What this node serves to its peers; to be passed to `network.listen`. The same array always. */
  readonly services: readonly ServedService[];
  /** Begins to tick, send and apply. Idempotent. Before it, proposals end as `notLeader`. */
  start(): void;
  /** Appends to the log if this node leads. Proposals of one node commit in call order. Exactly one outcome each; never rejects. */
  propose(data: Uint8Array): Promise<ProposeOutcome>;
  /**
   * An index such that a read of state applied up to it is linearizable (ReadIndex, dissertation §6.4), already applied
   * here when the promise resolves. Default mode: `round`. With the setting `forwardedReads` a follower asks the leader, always
   * for a round. Errors: `notLeader` (with the leader's address when known), `unavailable`, `deadline`, `cancelled`.
   */
  readIndex(signal?: AbortSignal, mode?: ReadMode): Promise<LogIndex>;
  /** Resolves when this node has applied `index`. Errors: `cancelled`. */
  waitApplied(index: LogIndex, signal?: AbortSignal): Promise<void>;
  /**
   * Changes the membership, at the leader; several wishes are one joint change. Resolves with the index at which it is in
   * force here. A change may be asked for again after any error: one that is in force already is refused.
   * Errors: `notLeader` (with the leader's address when known), `precondition` (does not fit the present membership, or
   * another one is under way; nothing was changed), `unavailable` (leadership was lost: it may or may not happen).
   */
  changeMembership(wishes: readonly MembershipWish[]): Promise<LogIndex>;
  /**
   * Hands leadership over, to the best placed voter if nobody is named (dissertation §3.10). Proposals that come meanwhile
   * wait and then end as `notLeader` with the new leader: nothing fails that was accepted. Resolves when another leads.
   * Errors: `notLeader`, `precondition` (the target has no vote here), `unavailable` (not done in time; this node leads on).
   */
  transferLeadership(to?: PeerId): Promise<void>;
  /**
   * Gives this node's log and state up: it ends as after a failed disk (`diskFailed`), and its next start joins the group
   * anew, as one that lost its directory, and is fed a snapshot. For a host that has found its state to be wrong. Settles
   * when that is noted durably and the node has ended; when it is not running, at once and without effect.
   */
  setAside(reason: string): Promise<void>;
  /** Now. */
  status(): RaftStatus;
  /** Calls back on every event, in order; returns how to stop. */
  subscribe(listener: (event: RaftEvent) => void): () => void;
  /** Host:port of a peer, from the log or else the configuration. */
  addressOf(peer: PeerId): string | undefined;
  /** Stops; open proposals end as `unknown`. */
  stop(): Promise<void>;
}
