import type { LogIndex, PeerId, Term } from "./core/types.ts";

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

/** A node's role and cursors. */
export interface RaftStatus {
  readonly id: PeerId;
  readonly role: "leader" | "follower" | "candidate" | "preCandidate" | "learner";
  readonly term: Term;
  readonly leader: PeerId | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly firstIndex: LogIndex;
  /** Leads and has applied its own term's first entry: commands may be decided. */
  readonly isReadyLeader: boolean;
  /** Leader only: what it knows of its peers. */
  readonly peers: readonly { readonly id: PeerId; readonly matchIndex: LogIndex; readonly isActive: boolean; readonly state: string }[];
}

/** What happens inside, typed; feeds logs, metrics and the admin page. */
export type RaftEvent =
  | { readonly kind: "roleChanged"; readonly role: RaftStatus["role"]; readonly term: Term }
  | { readonly kind: "leaderChanged"; readonly leader: PeerId | undefined; readonly term: Term }
  | { readonly kind: "readyToLead"; readonly term: Term }
  | { readonly kind: "committed"; readonly index: LogIndex }
  | { readonly kind: "diskStalled"; readonly sinceMs: number }
  | { readonly kind: "diskFailed"; readonly message: string };

/** One member of a Raft group. */
export interface RaftNode {
  /** Appends to the log if this node leads. Proposals of one node commit in call order. Exactly one outcome each; never rejects. */
  propose(data: Uint8Array): Promise<ProposeOutcome>;
  /**
   * An index such that a read of state applied up to it is linearizable (ReadIndex, dissertation §6.4), already applied
   * here when the promise resolves. Errors: `notLeader` (with the leader's address when known), `unavailable`, `deadline`.
   */
  readIndex(signal?: AbortSignal): Promise<LogIndex>;
  /** Resolves when this node has applied `index`. Errors: `cancelled`. */
  waitApplied(index: LogIndex, signal?: AbortSignal): Promise<void>;
  /** Now. */
  status(): RaftStatus;
  /** Calls back on every event, in order; returns how to stop. */
  subscribe(listener: (event: RaftEvent) => void): () => void;
  /** Host:port of a peer, from the configuration. */
  addressOf(peer: PeerId): string | undefined;
  /** Stops; open proposals end as `unknown`. */
  stop(): Promise<void>;
}
