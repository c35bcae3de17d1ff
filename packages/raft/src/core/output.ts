import type { Entry, EntryId, HardState, SnapshotMeta } from "./entries.ts";
import type { Message } from "./messages.ts";
import type { Role } from "./role.ts";
import type { LogIndex, PeerId, Term } from "./types.ts";

/**
 * What to make durable, in token order. Each part may be absent; the order within one is snapshot, entries, hard state.
 * The host answers `persisted` once this and every earlier one is on disk.
 */
export interface PersistOrder {
  /** Ascending by one. */
  readonly token: number;
  /** The received snapshot takes the place of the whole log and of the state machine. */
  readonly snapshot?: SnapshotMeta;
  /** Written from `append[0].index` on; whatever the log holds from there on is cut off first. */
  readonly append: readonly Entry[];
  /** Entries that the log had lost, to stand in their places again; written before `append`. Nothing is cut off for them. */
  readonly repair?: readonly Entry[];
  /** Replaces the stored one. */
  readonly hardState?: HardState;
  /** Needs an fsync before `persisted`. Otherwise being in order behind the earlier ones is enough. */
  readonly mustSync: boolean;
  /** For replay harnesses: the log position whose durability this order will acknowledge, and the term it was given in. */
  readonly acknowledges?: { readonly term: Term; readonly last?: EntryId };
}

/** What became of a reference; each gets exactly one. */
export type Reply =
  /** Proposal or configuration change: committed as this entry. */
  | { readonly ref: number; readonly kind: "committed"; readonly id: EntryId }
  /**
   * Read: state applied up to `index` is fresh enough. With `leaseRound`, it rests on the lease that this round began, as
   * far as ticks tell: the host checks by its clock that the lease is not over, and else asks again.
   */
  | { readonly ref: number; readonly kind: "readable"; readonly index: LogIndex; readonly leaseRound?: number }
  /** Transfer: another leads now. */
  | { readonly ref: number; readonly kind: "transferred" }
  /** Nothing happened; ask `leader` (undefined: unknown). */
  | { readonly ref: number; readonly kind: "notLeader"; readonly leader: PeerId | undefined }
  /** Nothing happened: the uncommitted log is full, too many reads wait, or leadership is being handed over. */
  | { readonly ref: number; readonly kind: "overloaded" }
  /** Nothing happened: the change (or the transfer's target) does not fit the present configuration. */
  | { readonly ref: number; readonly kind: "refused"; readonly reason: string }
  /** Appended and then overwritten by another leader: it did not and will not happen. */
  | { readonly ref: number; readonly kind: "superseded" }
  /** Leadership was lost; it may or may not happen. For reads and transfers: no answer in time. */
  | { readonly ref: number; readonly kind: "unknown" };

/** Asks the log store for entries that left the core's window; answered by `fetched` with the same ref. */
export interface FetchOrder {
  readonly ref: number;
  /** First wanted. */
  readonly fromIndex: LogIndex;
  /** Last wanted; the answer may stop earlier. */
  readonly toIndex: LogIndex;
  /** Stop after the entry that reaches this size; at least one entry is returned. */
  readonly bytesMax: number;
}

/** What happened inside, for logs, metrics, tests and the page. Never needed for correctness. */
export type CoreEvent =
  | { readonly kind: "roleChanged"; readonly role: Role; readonly term: Term }
  | { readonly kind: "leaderChanged"; readonly leader: PeerId | undefined; readonly term: Term }
  /** This leader has applied its own term's first entry. */
  | { readonly kind: "readyToLead"; readonly term: Term }
  | { readonly kind: "committed"; readonly index: LogIndex }
  | { readonly kind: "configurationChanged"; readonly index: LogIndex }
  /** The oldest persist order is this old; a leader steps down, others do not campaign. */
  | { readonly kind: "diskStalled"; readonly ticks: number }
  | { readonly kind: "diskFailed" }
  /**
   * The log was not whole at the start and is now, on disk. With the configuration entries between its start and what is
   * applied: some may have been lost until now.
   */
  | { readonly kind: "logRepaired"; readonly entries: number; readonly configurations: readonly Entry[] }
  /** An input was dropped because it makes no sense; `reason` is for people. */
  | { readonly kind: "inputDropped"; readonly reason: string };

/** Everything the host must do, in one value. Order between the parts does not matter except where a token says so. */
export interface Output {
  readonly persist?: PersistOrder;
  /** May go now, in order per peer. Losing some is allowed. */
  readonly send: readonly Message[];
  /** Go, in order, when `token` is durable: they promise that something is on disk. */
  readonly sendAfter: readonly { readonly token: number; readonly message: Message }[];
  /** Next entries for the state machine: committed, durable here, contiguous; answered by `applied`. */
  readonly apply: readonly Entry[];
  readonly fetch: readonly FetchOrder[];
  readonly replies: readonly Reply[];
  /** The log up to and including this entry may be deleted once this value is stored as the log's start. */
  readonly compact?: SnapshotMeta;
  readonly events: readonly CoreEvent[];
}
